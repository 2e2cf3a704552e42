/** The part of the package that is used here; it brings no types. */
declare module 'fs-native-extensions' {
  /**
   * Takes an exclusive lock for the open file: `F_OFD_SETLK` on Linux, `flock` on macOS, `LockFileEx` on Windows.
   * @returns false if another open file has it
   */
  export function tryLock(descriptor: number): boolean;
}

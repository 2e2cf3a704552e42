/** Where a client keeps things between its runs. */
export interface Storage {
  /** @returns undefined (or null) where nothing is kept under the key */
  get(key: string): Promise<string | undefined | null>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** All keys that begin with the prefix. */
  keys(prefix: string): Promise<string[]>;
  /**
   * Runs the task while nobody else who uses the same data runs one under the same name. A storage that more than one
   * process uses has to have it; within a process the client sees to it itself.
   */
  lock?<T>(name: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

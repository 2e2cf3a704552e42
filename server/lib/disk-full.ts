/** The disk, or the user's share of it, is used up. */
const CODES = new Set(['ENOSPC', 'EDQUOT']);

/** Whether an error says that a disk is full. Libraries that write files themselves say so only in the message. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined
    ? /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i.test(error.message)
    : CODES.has(code);
}

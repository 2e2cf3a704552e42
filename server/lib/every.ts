/**
 * Does work again and again, and skips a turn while the last one is under way. Keeps no process alive.
 * @param everyMs from one beginning to the next, in milliseconds
 * @param onError told what the work rejects with
 * @returns how to stop; a turn under way ends by itself
 */
export function every(
  everyMs: number,
  work: () => Promise<unknown>,
  onError: (error: unknown) => void,
): { close(): void } {
  let underWay = false;
  const timer = setInterval(() => {
    if (underWay) return;
    underWay = true;
    work()
      .catch(onError)
      .finally(() => {
        underWay = false;
      });
  }, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

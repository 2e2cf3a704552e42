/** When to look at users again: at the end of a grace period, or after a failure. One timer per user. */
export interface Timers {
  /** Calls back for the user in so many milliseconds, instead of at the time set before. */
  start(userId: string, ms: number): void;
  close(): void;
}

export function createTimers(onDue: (userId: string) => void): Timers {
  const timers = new Map<string, NodeJS.Timeout>();
  return {
    start(userId, ms) {
      clearTimeout(timers.get(userId));
      const timer = setTimeout(() => {
        timers.delete(userId);
        onDue(userId);
      }, ms);
      timer.unref();
      timers.set(userId, timer);
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

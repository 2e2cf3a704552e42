/** Pages take turns: what one user reads, however much, leaves room for what others do. */

export interface PageTurns {
  /**
   * Runs work when it is its turn among the pages of its user.
   * @returns what the work returns; rejects as it does
   */
  run<R>(userId: string, work: () => Promise<R> | R): Promise<R>;
}

interface Turns {
  running: number;
  waiting: (() => void)[];
}

/**
 * Holds a user only while pages are being read.
 * @param atOnce how many pages of one user are read at a time
 */
export function createPageTurns(atOnce: number): PageTurns {
  const users = new Map<string, Turns>();

  function end(userId: string, turns: Turns): void {
    const next = turns.waiting.shift();
    // Whoever is next takes the place over, so that nobody slips in between.
    if (next) next();
    else if (--turns.running === 0) users.delete(userId);
  }

  return {
    async run(userId, work) {
      const turns = users.get(userId) ?? { running: 0, waiting: [] };
      users.set(userId, turns);
      if (turns.running < atOnce) turns.running++;
      else await new Promise<void>((resolve) => turns.waiting.push(resolve));
      try {
        return await work();
      } finally {
        end(userId, turns);
      }
    },
  };
}

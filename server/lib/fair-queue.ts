/**
 * A queue that is fair between parties: each has a line of its own, and the lines are served in turn (round robin). So a
 * party waits for its own work and for one piece of each other's, however long their lines are.
 */

import { queueMeasures } from './queue-measures.ts';

export interface FairQueue {
  /**
   * Runs work when it is its turn.
   * @param party whose work it is
   * @returns what the work returns; rejects as it does, or with what `refuse` makes where there is no room
   */
  run<R>(party: string, work: () => Promise<R>): Promise<R>;
}

export interface FairQueueOptions {
  /** Tells it from other queues, in metrics. */
  name: string;
  /** How much runs at a time. */
  atOnce: number;
  /** How much may wait altogether. Beyond that the last in the longest line is refused. */
  mostWaiting: number;
  refuse(): Error;
}

interface Waiting {
  begin(): void;
  reject(error: Error): void;
}

export function createFairQueue({ name, atOnce, mostWaiting, refuse }: FairQueueOptions): FairQueue {
  const measured = queueMeasures(name);
  /** The lines in the order in which they are served next. */
  const lines = new Map<string, Waiting[]>();
  let waiting = 0;
  let running = 0;

  function longest(): Waiting[] {
    return [...lines.values()].reduce((one, other) => (other.length > one.length ? other : one));
  }

  function takeNext(): Waiting | undefined {
    for (const [party, line] of lines) {
      // To the end of the lines.
      lines.delete(party);
      const next = line.shift();
      if (line.length > 0) lines.set(party, line);
      if (next) return next;
    }
    return undefined;
  }

  function goOn(): void {
    while (running < atOnce) {
      const next = takeNext();
      if (!next) return;
      waiting--;
      running++;
      next.begin();
    }
  }

  function queue(party: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = lines.get(party) ?? [];
      lines.set(party, line);
      line.push({ begin: resolve, reject });
      if (++waiting > mostWaiting) {
        waiting--;
        longest().pop()?.reject(refuse());
      }
      goOn();
    });
  }

  return {
    async run(party, work) {
      const since = performance.now();
      measured.length.add();
      try {
        await queue(party);
        measured.waited.observe((performance.now() - since) / 1000);
        try {
          return await work();
        } finally {
          running--;
          goOn();
        }
      } finally {
        measured.length.add(-1);
      }
    },
  };
}

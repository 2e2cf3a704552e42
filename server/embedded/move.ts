/** The side of a move that asks the database for its steps. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FolderInUse, lockFolder } from './lock.ts';
import { TREE_FILE } from './storage/damage.ts';
import { type Moved, readMoved } from './storage/moved.ts';

/** A database that is moved: what it does besides MongoDB's commands. */
export interface Movable {
  /** Has changes of documents noted. @returns the name of the notes: another one where some are missing */
  track(): Promise<string>;
  /**
   * @param after up to which note the changes were carried over
   * @returns documents that changed, each once, at most a thousand, and up to which note
   */
  changes(tracker: string, after: number): Promise<{ changes: { namespace: string; id: unknown }[]; upTo: number }>;
  /**
   * Refuses writes from now on, for so many milliseconds; all earlier ones are done and noted.
   * @returns which pause it is: the same one as before if that had not ended
   */
  pause(ms: number): Promise<number>;
  resume(): Promise<void>;
  /** Ends all writing for good, on the disk too. Fails unless that pause goes on. */
  finish(pause: number, moved: Pick<Moved, 'to' | 'move'>): Promise<void>;
}

type Send = (command: object) => Promise<Record<string, unknown>>;

/** @param send sends the database a command, and decodes no value of the answer to another type */
export function movable(send: Send): Movable {
  const step = (name: string, fields: object = {}) => send({ moveDatabase: name, ...fields });
  return {
    track: async () => (await step('track')).tracker as string,
    async changes(tracker, after) {
      const { changes, upTo } = await step('changes', { tracker, after, limit: 1000 });
      return { changes: changes as { namespace: string; id: unknown }[], upTo: Number(upTo) };
    },
    pause: async (ms) => Number((await step('pause', { ms })).pause),
    resume: async () => void (await step('resume')),
    finish: async (pause, moved) => void (await step('finish', { pause, ...moved })),
  };
}

/**
 * Lets one process at a time move the database of a folder. The lock ends with the process, however that ends.
 * @returns undefined where it was moved already, with where to; else what releases the lock
 * @throws Error with a one-line message when there is no database, or another process moves it
 */
export async function beginMove(dataDir: string): Promise<{ moved: Moved } | { release(): void }> {
  const folder = join(dataDir, 'database');
  if (!existsSync(join(folder, TREE_FILE))) {
    throw new Error(`there is no embedded database in ${dataDir} (DATA_DIR)`);
  }
  const release = await lockFolder(folder, 'move-lock').catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    throw new Error('another letsapp move is at work on this database');
  });
  const moved = readMoved(folder);
  if (!moved) return { release };
  release();
  return { moved };
}

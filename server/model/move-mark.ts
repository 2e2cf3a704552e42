/** The note that a database is being filled by `letsapp move`, kept in the database: no server starts on it until that is done. */
import type { Collection, Db } from 'mongodb';

export interface MoveMark {
  _id: 'move';
  /** Which move it is. */
  move: string;
  /** Which database it comes from. */
  source: string;
  /** Names the notes of what changes there meanwhile. */
  tracker: string;
  begun_at: Date;
  /** The collection that is being copied, and up to which `_id` it is. */
  at: { collection: string; id: unknown } | null;
  /** The collections that are copied. */
  copied: string[];
  /** Documents that are missing so far: a unique index refuses them until others have changed. */
  deferred: { collection: string; id: unknown }[];
}

export function moveMark(db: Db): Collection<MoveMark> {
  return db.collection('letsapp_move');
}

/** @throws Error while the database is being filled */
export async function assertNotFilling(db: Db): Promise<void> {
  const found = await moveMark(db).findOne({ _id: 'move' }, { projection: { _id: 1 } });
  if (found) throw new Error('letsapp move has not finished filling it: run that again until it says so');
}

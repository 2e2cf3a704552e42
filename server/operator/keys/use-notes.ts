import type { Logger } from 'pino';
import { createLru } from '../../lib/lru.ts';
import type { Collections } from '../../model/collections.ts';
import type { ServerKeyDocument } from '../../model/documents/operator.ts';

/** How exact the time of the last use is, in milliseconds: it is written no more often. */
const NOTED_EVERY_MS = 60_000;
/** For how many keys this node remembers when it noted their use. */
const REMEMBERED = 1000;

/** Notes that a key is used, in the background. A failure is logged, and the next use notes it. */
export type NoteUse = (key: Pick<ServerKeyDocument, '_id' | 'last_used_at'>) => void;

export interface UseNotesOptions {
  collections: Pick<Collections, 'server_keys'>;
  clock(): Date;
  log: Logger;
}

export function createUseNotes({ collections, clock, log }: UseNotesOptions): NoteUse {
  /** When this node noted the use of each key. */
  const noted = createLru<number>('uses of server keys', REMEMBERED);

  return ({ _id, last_used_at }) => {
    const now = clock();
    const last = Math.max(noted.get(_id) ?? 0, last_used_at?.getTime() ?? 0);
    if (now.getTime() - last < NOTED_EVERY_MS) return;
    noted.set(_id, now.getTime());
    collections.server_keys.updateOne({ _id }, { $max: { last_used_at: now } }).catch((err: unknown) => {
      noted.delete(_id);
      log.debug({ err }, 'the use of a server key was not noted');
    });
  };
}

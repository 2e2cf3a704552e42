/**
 * Looks for conversations that changed, by the times in their summaries. A time is a little earlier than the moment
 * when its write can be seen, so a look reaches back behind the last one; every ten seconds, further than any write
 * takes.
 */
import type { Partitions } from '../cluster/partitions.ts';
import type { Collections } from '../model/collections.ts';

/** How far a look reaches back behind the last one, in milliseconds: longer than most writes take. */
const MARGIN_MS = 2000;
/** How often, in milliseconds, a look reaches back further than any write takes; then what is done is stored. */
const DEEP_EVERY_MS = 10_000;
const DEEP_MARGIN_MS = 30_000;
/** Conversations in one batch. */
const BATCH = 1000;

export interface ChangedConversation {
  id: string;
  /** Its highest `rev`, as far as is known. The summary may be ahead of the messages for some seconds, or for good. */
  rev: number;
}

export interface ChangeLooks {
  /** The next look begins no later than a write that was made at this time, in milliseconds. */
  lookFrom(time: number): void;
  /** Partitions have become this node's: what is done of them is stored only once they were looked at. */
  gained(partitions: Iterable<number>): void;
  /** Looks once. Where it rejects, the next one begins where this one did. */
  look(): Promise<void>;
}

export interface ChangeLooksOptions {
  collections: Pick<Collections, 'conversations'>;
  partitions: Pick<Partitions, 'owned' | 'noteDone'>;
  clock(): Date;
  /** Told what is found, perhaps more than once. */
  onFound(conversations: ChangedConversation[]): void;
  /** Resolves when all that was found is stored, or done; with false where no follower is left to say so. */
  noted(): Promise<boolean>;
}

export function createChangeLooks({ collections, partitions, clock, onFound, noted }: ChangeLooksOptions): ChangeLooks {
  /** The moment from which the next look reads, in milliseconds. */
  let from = Number.POSITIVE_INFINITY;
  /** When the last deep look began; undefined before the first, which reads from where it must. */
  let deepAt: number | undefined;
  /** Partitions that came since the last look began. */
  const fresh = new Set<number>();

  async function read(since: number): Promise<void> {
    const found = collections.conversations.find(
      { changed_at: { $gte: new Date(since) } },
      { projection: { rev: 1 }, sort: { changed_at: 1 }, batchSize: BATCH },
    );
    let batch: ChangedConversation[] = [];
    for await (const { _id, rev } of found) {
      if (rev > 0) batch.push({ id: _id, rev });
      if (batch.length < BATCH) continue;
      onFound(batch);
      batch = [];
    }
    onFound(batch);
  }

  return {
    lookFrom(time) {
      from = Math.min(from, time - DEEP_MARGIN_MS);
    },
    gained(ids) {
      for (const id of ids) fresh.add(id);
    },
    async look() {
      const mine = partitions.owned();
      if (mine.length === 0 || from === Number.POSITIVE_INFINITY) return;
      const began = clock().getTime();
      const isDeep = deepAt === undefined || began - deepAt >= DEEP_EVERY_MS;
      const since = isDeep && deepAt !== undefined ? Math.min(from, deepAt - DEEP_MARGIN_MS) : from;
      from = began - MARGIN_MS;
      fresh.clear();
      try {
        await read(since);
        if (!isDeep) return;
        if (!(await noted())) return;
        // Those that came meanwhile were not read from where their last owner stopped.
        await partitions.noteDone(
          mine.filter((id) => !fresh.has(id)),
          new Date(began),
        );
        deepAt = began;
      } catch (error) {
        from = Math.min(from, since);
        throw error;
      }
    },
  };
}

/**
 * How far each session of a user with subscriptions has itself acknowledged a conversation. Marks belong to users;
 * whether a device has a message is asked of its own session. Kept in the database, several by one command, beside what
 * is answered.
 */
import type { Logger } from 'pino';
import { every } from '../lib/every.ts';
import type { Collections } from '../model/collections.ts';
import type { PushAcknowledgementDocument } from '../model/documents/push.ts';

/** How long what is noted waits for company, in milliseconds. */
const GATHER_MS = 250;
/** How long it is kept: longer than a push is tried, in milliseconds. */
const KEPT_MS = 2 * 86_400_000;
/** How many wait at most while the store is away. */
const MOST_WAITING = 20_000;

export type Acknowledged = Pick<PushAcknowledgementDocument, 'delivered_seq' | 'read_seq'>;

export interface AcknowledgementKey {
  sessionId: string;
  /** A conversation, a call, or the message that a thread hangs on. */
  subject: string;
}

export interface Acknowledgements {
  note(key: AcknowledgementKey, acknowledged: Acknowledged): void;
  /** What the sessions have acknowledged, in the order asked. */
  read(keys: readonly AcknowledgementKey[]): Promise<Acknowledged[]>;
  close(): Promise<void>;
}

export interface AcknowledgementsOptions {
  collections: Pick<Collections, 'push_acknowledgements'>;
  clock(): Date;
  log: Logger;
}

const NONE: Acknowledged = { delivered_seq: 0, read_seq: 0 };

export function createAcknowledgements({ collections, clock, log }: AcknowledgementsOptions): Acknowledgements {
  const { push_acknowledgements: stored } = collections;
  const waiting = new Map<string, Acknowledged>();
  /** What is being written: it is not known yet whether it is stored. */
  let underWay: [string, Acknowledged][] = [];

  function add(id: string, acknowledged: Acknowledged): void {
    if (waiting.size < MOST_WAITING || waiting.has(id)) waiting.set(id, later(waiting.get(id) ?? NONE, acknowledged));
  }

  async function write(): Promise<void> {
    if (waiting.size === 0) return;
    const batch = [...waiting];
    underWay = batch;
    waiting.clear();
    const expires_at = new Date(clock().getTime() + KEPT_MS);
    try {
      await stored.bulkWrite(
        batch.map(([_id, { delivered_seq, read_seq }]) => ({
          updateOne: { filter: { _id }, update: { $max: { delivered_seq, read_seq, expires_at } }, upsert: true },
        })),
        { ordered: false },
      );
    } catch (error) {
      for (const [id, acknowledged] of batch) add(id, acknowledged);
      throw error;
    } finally {
      underWay = [];
    }
  }

  const writing = every(GATHER_MS, write, (err) => log.debug({ err }, 'acknowledgements could not be stored'));

  return {
    note: (key, acknowledged) => add(idOf(key), acknowledged),
    async read(keys) {
      if (keys.length === 0) return [];
      const ids = [...new Set(keys.map(idOf))];
      // Taken before the store is asked: what is written in between is found in one of the two.
      const here = new Map(underWay);
      for (const [id, acknowledged] of waiting) here.set(id, later(here.get(id) ?? NONE, acknowledged));
      const found = await stored.find({ _id: { $in: ids } }, { batchSize: ids.length + 1 }).toArray();
      const byId = new Map(found.map((one) => [one._id, one]));
      return keys.map((key) => later(byId.get(idOf(key)) ?? NONE, here.get(idOf(key)) ?? NONE));
    },
    async close() {
      writing.close();
      await write().catch((err: unknown) => log.debug({ err }, 'acknowledgements could not be stored'));
    },
  };
}

const idOf = ({ sessionId, subject }: AcknowledgementKey) => `${sessionId} ${subject}`;

function later(one: Acknowledged, other: Acknowledged): Acknowledged {
  return {
    delivered_seq: Math.max(one.delivered_seq, other.delivered_seq),
    read_seq: Math.max(one.read_seq, other.read_seq),
  };
}

/** How far each conversation was told, as documents. */
import type { AnyBulkWriteOperation } from 'mongodb';
import { partitionOf } from '../../cluster/partitions.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import { batched } from '../../lib/group-commit.ts';
import { createLru } from '../../lib/lru.ts';
import { upsertEach } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import { refFromId } from '../../model/conversation-ref.ts';
import type { FailedAttempt, WebhookCursorDocument, WebhookDocument } from '../../model/documents/webhooks.ts';

/** Cursors kept in memory. */
const REMEMBERED = 50_000;

/** A conversation's cursor, as it is worked with. */
export type Cursor = WebhookCursorDocument & { rev: number; had: number[] };

export interface CursorStore {
  /** The cursor of a conversation, made where there is none: from where it was when the feed began. */
  load(webhook: WebhookDocument, conversationId: string): Promise<Cursor>;
  /** Stores how far a conversation was told; unless it was set back meanwhile, or is further on. */
  save(cursor: Cursor, wasTaken: boolean): Promise<void>;
  /** Stores that the last attempt of a stream was not taken. @param behind the newest `rev` that is known to wait */
  fail(cursor: Cursor, failed: FailedAttempt, behind: number): Promise<void>;
  /** Notes what waits, so that it is found after a crash. */
  note(webhook: WebhookDocument, waiting: readonly (readonly [string, number])[]): Promise<void>;
  /** Takes back that anything waits up to a `rev`: it was never stored. */
  unnote(cursor: Cursor, rev: number): Promise<void>;
  /** What is noted to wait in some partitions; cursors that were set back meanwhile are forgotten. */
  waiting(webhook: WebhookDocument, partitions: number[], limit: number): Promise<[string, number][]>;
  /** Forgets what is remembered of some streams. */
  forget(isGone: (stream: string) => boolean): void;
}

export interface CursorStoreOptions {
  collections: Pick<Collections, 'webhook_cursors'>;
  store: Pick<MessageStore, 'of'>;
}

export const cursorId = ({ feed_id }: WebhookDocument, stream: string) => `${feed_id.toHexString()} ${stream}`;

export function createCursorStore({ collections: { webhook_cursors }, store }: CursorStoreOptions): CursorStore {
  const remembered = createLru<Cursor>('webhook cursors', REMEMBERED);
  const write = batched(
    'webhook cursors',
    (changes: readonly AnyBulkWriteOperation<WebhookCursorDocument>[][]) =>
      webhook_cursors.bulkWrite(changes.flat(), { ordered: true }).then(() => changes.map(() => undefined)),
    { atOnce: 2, most: 100 },
  );

  /** The highest `rev` from before the feed began: changes are dated in the order of `rev`, as well as clocks agree. */
  async function revBefore({ since }: WebhookDocument, conversationId: string): Promise<number> {
    const [last] = await store
      .of(refFromId(conversationId).kind)
      .find(
        { conversation_id: conversationId, rev: { $gt: 0 }, updated_at: { $lt: since } },
        { projection: { _id: 0, rev: 1 } },
      )
      .sort({ rev: -1 })
      .limit(1)
      .toArray();
    return last?.rev ?? 0;
  }

  const beginning = async (webhook: WebhookDocument, stream: string, known?: number) => ({
    webhook_id: webhook._id,
    feed_id: webhook.feed_id,
    partition: partitionOf(stream),
    stream,
    rev: known ?? (await revBefore(webhook, stream)),
  });

  /** The cursor as it was read: not set back since. */
  const asRead = ({ _id, replay }: Cursor) => ({ _id, replay: replay ?? { $exists: false } }) as const;

  return {
    async load(webhook, stream) {
      const _id = cursorId(webhook, stream);
      const known = remembered.get(_id);
      if (known) return known;
      const found = await webhook_cursors.findOne({ _id });
      const document = found?.rev === undefined ? await begin() : found;
      const cursor = { ...document, rev: document.rev!, had: document.had ?? [] };
      remembered.set(_id, cursor);
      return cursor;

      async function begin(): Promise<WebhookCursorDocument> {
        await upsertEach(webhook_cursors, [
          { filter: { _id }, update: { $setOnInsert: await beginning(webhook, stream) } },
        ]);
        return (await webhook_cursors.findOne({ _id }))!;
      }
    },
    async save(cursor, wasTaken) {
      const { rev, had } = cursor;
      const failure = wasTaken ? { $unset: { failed: true, refused_since: true } } : {};
      await write([
        {
          updateOne: { filter: { ...asRead(cursor), rev: { $lte: rev } }, update: { $set: { rev, had }, ...failure } },
        },
        { updateOne: { filter: { ...asRead(cursor), behind: { $lte: rev } }, update: { $unset: { behind: true } } } },
      ] as AnyBulkWriteOperation<WebhookCursorDocument>[]);
      if (wasTaken) {
        delete cursor.failed;
        delete cursor.refused_since;
      }
    },
    async fail(cursor, failed, behind) {
      const { refused_since } = cursor;
      await webhook_cursors.updateOne(asRead(cursor), {
        $set: { failed, ...(refused_since ? { refused_since } : {}) },
        $max: { behind },
        ...(refused_since ? {} : { $unset: { refused_since: true } }),
      });
    },
    async note(webhook, waiting) {
      const begun = await Promise.all(
        waiting.map(async ([stream, rev]) => {
          const _id = cursorId(webhook, stream);
          const known = remembered.get(_id)?.rev;
          const $setOnInsert = await beginning(webhook, stream, known);
          return { filter: { _id }, update: { $max: { behind: rev }, $setOnInsert } };
        }),
      );
      if (begun.length > 0) await upsertEach(webhook_cursors, begun);
    },
    async unnote(cursor, rev) {
      await webhook_cursors.updateOne({ ...asRead(cursor), behind: { $lte: rev } }, { $unset: { behind: true } });
    },
    async waiting({ _id, feed_id }, partitions, limit) {
      const found = await webhook_cursors
        .find(
          { webhook_id: _id, partition: { $in: partitions }, behind: { $exists: true } },
          { projection: { stream: 1, behind: 1, replay: 1, feed_id: 1 } },
        )
        .limit(limit)
        .toArray();
      const own = found.filter((one) => one.feed_id.equals(feed_id));
      for (const one of own) if (remembered.get(one._id)?.replay !== one.replay) remembered.delete(one._id);
      return own.map(({ stream, behind }) => [stream, behind!]);
    },
    forget(isGone) {
      for (const [id, { stream }] of [...remembered.entries()]) if (isGone(stream)) remembered.delete(id);
    },
  };
}

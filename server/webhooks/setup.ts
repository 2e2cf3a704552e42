/** Setting webhooks up: made, replaced, listed, removed, and told again. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import { WEBHOOK_TYPES, type Webhook, type WebhookBody } from '../../shared/contract/webhooks.ts';
import type { Nodes } from '../cluster/nodes.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { invalid, notFound, unavailable } from '../lib/errors.ts';
import type { Outbound } from '../lib/outbound/outbound.ts';
import { toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { type ConversationRef, refFromId } from '../model/conversation-ref.ts';
import type { WebhookDocument } from '../model/documents/webhooks.ts';
import { insertOnce } from '../model/insert-once.ts';
import { REMEMBERED_MS, type WebhookList } from '../outbox/webhook-list.ts';
import { createCursorStore, cursorId } from './delivery/cursor-store.ts';
import { wantsMessages } from './delivery/feed.ts';
import { hadUpTo } from './had.ts';
import type { WebhookSecrets } from './secrets.ts';

/** How often a change is decided again where others are first. */
const MAX_ATTEMPTS = 20;

export interface WebhookSetup {
  /**
   * Makes or replaces a webhook. Resolves when every node knows of it.
   * @returns the secret where it is new
   * @throws ContractError `validation_failed` for a URL that must not be asked
   */
  put(name: string, body: WebhookBody): Promise<{ webhook: Webhook; secret?: string }>;
  list(): Promise<Webhook[]>;
  /** @throws ContractError `not_found` */
  remove(name: string): Promise<void>;
  /** Has a conversation told again from above a `rev`. @throws ContractError `not_found` for either */
  replay(name: string, conversationId: string, afterRev: number): Promise<void>;
}

export interface WebhookSetupOptions {
  collections: Pick<Collections, 'webhooks' | 'webhook_cursors' | 'webhook_events'>;
  store: Pick<MessageStore, 'of' | 'newest'>;
  list: WebhookList;
  outbound: Pick<Outbound, 'refusal'>;
  secrets: Pick<WebhookSecrets, 'make'>;
  nodes: Pick<Nodes, 'others'>;
  /** Resolves when all that this node knows to wait is noted in the store. */
  note(): Promise<void>;
  clock(): Date;
}

export function createWebhookSetup(options: WebhookSetupOptions): WebhookSetup {
  const { collections, store, list, outbound, nodes, note } = options;
  const { webhooks, webhook_cursors, webhook_events } = collections;

  async function named(name: string): Promise<WebhookDocument> {
    const found = await webhooks.findOne({ name });
    if (!found) throw notFound('no such webhook');
    return found;
  }

  async function view({ _id, name, url, types, created_at }: WebhookDocument): Promise<Webhook> {
    const waiting = { webhook_id: _id, behind: { $exists: true } };
    const [[messages], events, failing] = await Promise.all([
      webhook_cursors
        .aggregate<{ count: number }>([
          { $match: waiting },
          { $group: { _id: null, count: { $sum: { $subtract: ['$behind', '$rev'] } } } },
        ])
        .toArray(),
      webhook_events.countDocuments({ webhook_id: _id }),
      webhook_cursors.findOne({ webhook_id: _id, failed: { $exists: true } }, { sort: { 'failed.at': -1 } }),
    ]);
    return {
      name,
      url,
      types,
      created_at: toWire(created_at),
      state: failing ? 'failing' : 'ok',
      ...(failing?.failed ? { last_error: failing.failed.error } : {}),
      behind: (messages?.count ?? 0) + events,
    };
  }

  return {
    async put(name, body) {
      const refusal = await outbound.refusal(body.url);
      if (refusal) throw invalid('url', refusal);
      const isFirst = list.all().length === 0;
      const { webhook, secret } = await storeWebhook(options, name, body);
      await list.look();
      // For two seconds another node may hold that none exists, and note nothing of what happens to groups and users.
      const { living, possible } = await nodes.others();
      if (isFirst && living + possible > 0) await setTimeout(REMEMBERED_MS);
      return { webhook: await view(webhook), ...(secret === undefined ? {} : { secret }) };
    },
    async list() {
      await note();
      return Promise.all((await webhooks.find().sort({ name: 1 }).toArray()).map(view));
    },
    async remove(name) {
      const removed = await webhooks.findOneAndDelete({ name });
      if (!removed) throw notFound('no such webhook');
      await list.look();
      await Promise.all([
        webhook_cursors.deleteMany({ feed_id: removed.feed_id }),
        webhook_events.deleteMany({ webhook_id: removed._id }),
      ]);
    },
    async replay(name, conversationId, afterRev) {
      const webhook = await named(name);
      const conversation = refFromId(conversationId);
      const { seq, rev } = await store.newest(conversation);
      if (rev === 0) throw notFound('no such conversation');
      if (rev <= afterRev) return;
      const oldest = await seqBefore(store, conversation, seq, afterRev);
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const cursor = await createCursorStore({ collections, store }).load(webhook, conversationId);
        const { modifiedCount } = await webhook_cursors.updateOne(
          { _id: cursorId(webhook, conversationId), rev: cursor.rev, replay: cursor.replay ?? { $exists: false } },
          {
            $set: {
              rev: Math.min(cursor.rev, afterRev),
              had: hadUpTo(cursor.had, oldest),
              replay: randomBytes(9).toString('base64url'),
            },
            $max: { behind: rev },
          },
        );
        if (modifiedCount === 1) return;
      }
      throw unavailable('the conversation is changing too quickly; try again');
    },
  };
}

/** Stores a webhook. @returns it, and its secret where that is new */
async function storeWebhook(
  { collections: { webhooks }, secrets, clock }: WebhookSetupOptions,
  name: string,
  { url, types = [...WEBHOOK_TYPES], rotate_secret }: WebhookBody,
): Promise<{ webhook: WebhookDocument; secret?: string }> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const made = secrets.make();
    const begun = { feed_id: new ObjectId(), since: clock() };
    const known = await webhooks.findOne({ name });
    if (!known) {
      const [_id, created_at] = [new ObjectId(), begun.since];
      const webhook = { _id, name, url, types, secret: made.sealed, ...begun, created_at, version: 1 };
      if (await insertOnce(webhooks, webhook)) return { webhook, secret: made.shown };
      continue;
    }
    const $set = {
      url,
      types,
      ...(rotate_secret ? { secret: made.sealed } : {}),
      // What happened while no messages were wanted is not told.
      ...(wantsMessages({ types }) && !wantsMessages(known) ? begun : {}),
    };
    const webhook = await webhooks.findOneAndUpdate(
      { _id: known._id, version: known.version },
      { $set, $inc: { version: 1 } },
      { returnDocument: 'after' },
    );
    if (webhook) return { webhook, ...(rotate_secret ? { secret: made.shown } : {}) };
  }
  throw unavailable('the webhook is changing too quickly; try again');
}

/**
 * The highest `seq` of a message that was new at or below a `rev`: messages are numbered in the order in which they were
 * new. Where a message has forgotten its first `rev`, after many changes, it counts as newer.
 */
async function seqBefore(
  store: Pick<MessageStore, 'of'>,
  { id, kind }: ConversationRef,
  highest: number,
  rev: number,
): Promise<number> {
  let [low, high] = [0, Math.min(highest, rev)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = await store
      .of(kind)
      .findOne({ conversation_id: id, seq: middle }, { projection: { _id: 0, rev: 1, revs: 1 } });
    if ((found?.revs?.[0] ?? found?.rev ?? 0) <= rev) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Changes of groups, users and calls, for webhooks to be told each as it was (a transactional outbox). The write that
 * makes a change notes in the same document that it is pending, and nobody changes the document further until the
 * change, with the document as it is then, is stored as an event for each webhook. Where a process dies in between, the
 * next change moves it on, or the look for what is left does. Without webhooks nothing is noted.
 */
import { type Collection, type Document, type Filter, ObjectId, type UpdateFilter } from 'mongodb';
import type { Logger } from 'pino';
import type { WebhookType } from '../../shared/contract/webhooks.ts';
import { partitionOf } from '../cluster/partitions.ts';
import { every } from '../lib/every.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { createLru } from '../lib/lru.ts';
import type { Collections } from '../model/collections.ts';
import type { Outgoing, PendingEvent } from '../model/documents/outbox.ts';
import { isDuplicateKey } from '../model/failures.ts';
import type { WebhookList } from './webhook-list.ts';

/** How often what is left is looked for, and how old it must be, in milliseconds. */
const LOOK_MS = 2000;
const LEFT_MS = 2000;
const LIMIT = 100;

const REMEMBERED = 1000;

/** Documents are changed by their ids. */
const keyOf = ({ _id }: { _id?: unknown }) => String(_id);

type Stored = Document & Outgoing & { _id: ObjectId; version?: number };
export type News = Omit<PendingEvent, 'id' | 'at'>;

export interface OutboxSource<D extends Stored> {
  /** What a new document must hold so that its making is told; to be spread into it. */
  noted(news?: News): Outgoing;
  /** Stores what a document has pending, in the background. */
  moveSoon(document: D): void;
  /**
   * Makes one conditional update.
   * @param news what webhooks are told besides the document; undefined where they are told nothing
   * @returns the document afterwards; null where nothing matches
   */
  change(filter: Filter<D>, update: UpdateFilter<D> | object[], news: News | undefined): Promise<D | null>;
}

/** For a tool that changes what servers tell of: nothing is told. */
export const UNTOLD = { noted: () => ({}), moveSoon: () => {} };

export interface SourceOptions<D extends Stored> {
  /** What the documents are, as their streams are named. */
  name: 'group' | 'user' | 'call';
  collection: Collection<D>;
  type: WebhookType;
  /** What is told of a document as it is. */
  toData(document: D, pending: PendingEvent): object;
}

export interface Outbox {
  source<D extends Stored>(options: SourceOptions<D>): OutboxSource<D>;
  /** Tells a listener of each event that is stored for a webhook. */
  onEvent(listener: (webhookId: string, stream: string) => void): void;
  close(): void;
}

export interface OutboxOptions {
  collections: Pick<Collections, 'webhooks' | 'webhook_events'>;
  list: Pick<WebhookList, 'mayExist' | 'all'>;
  clock(): Date;
  log: Logger;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { list, clock, log } = options;
  const sweeps: (() => Promise<void>)[] = [];
  let tell: (webhookId: string, stream: string) => void = () => {};
  const looking = every(
    LOOK_MS,
    async () => {
      if (list.all().length > 0) await Promise.all(sweeps.map((sweep) => sweep()));
    },
    (err) => log.debug({ err }, 'what is pending for webhooks could not be looked for; trying again'),
  );

  return {
    source<D extends Stored>(source: SourceOptions<D>) {
      const move = mover(options, source, (...event) => tell(...event));
      sweeps.push(async () => {
        const left = { 'pending.at': { $lt: new Date(clock().getTime() - LEFT_MS) } } as unknown as Filter<D>;
        for (const document of await source.collection.find(left).limit(LIMIT).toArray()) await move(document as D);
      });
      return createSource(options, source, move);
    },
    onEvent(listener) {
      tell = listener;
    },
    close: looking.close,
  };
}

function createSource<D extends Stored>(
  { list, clock, log }: OutboxOptions,
  { collection }: SourceOptions<D>,
  move: (document: D) => Promise<void>,
): OutboxSource<D> {
  const noted = (news: News = {}): Outgoing =>
    list.mayExist() ? { pending: { id: new ObjectId(), at: clock(), ...news } } : {};

  const turns = createKeyedQueue('outbox');
  const moving = createKeyedQueue('outbox pending');
  /** The last change that this node has moved on, by document: others who want the same moved on have it done. */
  const moved = createLru<string>('outbox', REMEMBERED);

  function moveOn(document: D): Promise<void> {
    const key = keyOf(document);
    const id = document.pending?.id.toHexString() ?? '';
    return moving.run(key, async () => {
      if (moved.get(key) === id) return;
      await move(document);
      moved.set(key, id);
    });
  }

  function moveSoon(document: D): void {
    if (document.pending) {
      moveOn(document).catch((err) => log.debug({ err }, 'an event for webhooks is moved on later'));
    }
  }

  async function change(filter: Filter<D>, update: UpdateFilter<D> | object[], news: News | undefined) {
    const free = { ...filter, pending: { $exists: false } } as Filter<D>;
    for (;;) {
      await moving.settled(keyOf(filter));
      const changed = await collection.findOneAndUpdate(free, withFields(update, news ? noted(news) : {}), {
        returnDocument: 'after',
      });
      if (changed) {
        moveSoon(changed as D);
        return changed as D;
      }
      const found = await collection.findOne(filter);
      if (!found) return null;
      // The change before this one is on its way, or its process died; or it is free by now.
      if (found.pending) await moveOn(found as D);
    }
  }

  return {
    noted,
    moveSoon,
    // One after the other on this node, since each must wait until the one before is moved on.
    change: (filter, update, news) =>
      list.mayExist() ? turns.run(keyOf(filter), () => change(filter, update, news)) : change(filter, update, news),
  };
}

function withFields<D extends Stored>(
  update: UpdateFilter<D> | object[],
  fields: Outgoing,
): UpdateFilter<D> | Document[] {
  if (Object.keys(fields).length === 0) return update;
  return Array.isArray(update)
    ? [...update, { $set: fields }]
    : { ...update, $set: { ...update.$set, ...fields } as never };
}

/** @returns stores what a document has pending as an event for each webhook; repeatable */
function mover<D extends Stored>(
  { collections: { webhooks, webhook_events } }: OutboxOptions,
  { name, collection, type, toData }: SourceOptions<D>,
  onEvent: (webhookId: string, stream: string) => void,
): (document: D) => Promise<void> {
  return async (document) => {
    const { _id, pending, version: number = 0 } = document;
    if (!pending) return;
    const stream = `${name}:${_id.toHexString()}`;
    // As they are now: one that was made before the change is among them.
    const wanting = await webhooks.find({ types: type, created_at: { $lte: pending.at } }).toArray();
    const data = wanting.length > 0 ? JSON.stringify(toData(document, pending)) : '';
    const events = wanting.map(({ _id: webhook_id }) => ({
      _id: `${webhook_id.toHexString()} ${stream} ${number}`,
      webhook_id,
      partition: partitionOf(stream),
      stream,
      number,
      type,
      at: pending.at,
      data,
    }));
    if (events.length > 0) {
      await webhook_events.insertMany(events, { ordered: false }).catch((error: unknown) => {
        // Another one has moved it on as well.
        if (!isDuplicateKey(error)) throw error;
      });
    }
    await collection.updateOne(
      { _id, 'pending.id': pending.id } as unknown as Filter<D>,
      { $unset: { pending: true } } as unknown as UpdateFilter<D>,
    );
    for (const { webhook_id } of events) onEvent(webhook_id.toHexString(), stream);
  };
}

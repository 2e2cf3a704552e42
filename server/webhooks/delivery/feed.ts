/** Tells one webhook what waits for it in this node's partitions. */
import type { Logger } from 'pino';
import { partitionOf } from '../../cluster/partitions.ts';
import type { ChangedConversation } from '../../conversations/change-looks.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import type { Collections } from '../../model/collections.ts';
import type { WebhookDocument } from '../../model/documents/webhooks.ts';
import { createAttempts, type DeliveryOutcome } from './attempts.ts';
import { createCursorStore } from './cursor-store.ts';
import { createEventTurn } from './event-turn.ts';
import { createMessageTurn } from './message-turn.ts';
import { createSchedule, type Turn } from './schedule.ts';
import type { SendEvent } from './sender.ts';

/** With fewer streams than this in memory, the store is asked for more. */
const FEW = 5000;
const MOST_READ = 10_000;
/** After a look, the next one waits for this many times as long as it took. */
const REST = 10;
/** How long an attempt under way may take when the node ends, in milliseconds. */
const PATIENCE_MS = 2000;
/** How long to wait after the store failed, in milliseconds. */
const STORE_WAIT_MS = 1000;

export interface Feed {
  /** The webhook was changed: everything is tried again at once. */
  replace(webhook: WebhookDocument): void;
  /** Conversations have changed. */
  changed(conversations: readonly ChangedConversation[]): void;
  /** Something happened to a group, user or call. */
  happened(stream: string): void;
  /** Looks in the store for what waits. @param partitions this node's */
  look(partitions: number[]): Promise<void>;
  /** Resolves when all that is known to wait is noted in the store. */
  note(): Promise<void>;
  /** Partitions are another node's. */
  lost(partitions: number[]): void;
  /** How many streams wait, as far as this node knows. */
  size(): number;
  /** As `Schedule.oldest`. */
  oldest(): number | undefined;
  close(): Promise<void>;
}

export interface FeedOptions {
  collections: Pick<Collections, 'webhook_cursors' | 'webhook_events'>;
  store: Pick<MessageStore, 'of' | 'changes' | 'show'>;
  send: SendEvent;
  count(outcome: DeliveryOutcome): void;
  clock(): Date;
  log: Logger;
  /** In milliseconds; for tests. */
  passOverMs?: number | undefined;
  firstWaitMs?: number;
}

export const wantsMessages = ({ types }: Pick<WebhookDocument, 'types'>) =>
  types.some((type) => type === 'message.new' || type === 'message.updated');

/** What is not a conversation has a colon in its name. */
const isConversation = (stream: string) => !stream.includes(':');

export function createFeed(first: WebhookDocument, options: FeedOptions): Feed {
  const { collections, log } = options;
  const ending = new AbortController();
  let current = first;
  const webhook = () => current;
  const cursors = createCursorStore(options);
  /** Conversations that are known to have changed, with the newest `rev`; noted in the store or not. */
  const changed = new Map<string, { rev: number; isNoted: boolean }>();
  const newestKnown = (stream: string) => changed.get(stream)?.rev ?? 0;

  const schedule = createSchedule({ ...options, work });
  const tryEvent = createAttempts({ ...options, webhook, onAnswer: schedule.answered, signal: ending.signal });
  const messageTurn = createMessageTurn({
    ...options,
    webhook,
    cursors,
    tryEvent,
    newestKnown,
    onNothing(stream, rev) {
      if (newestKnown(stream) <= rev) changed.delete(stream);
    },
  });
  const eventTurn = createEventTurn({ ...options, webhook, tryEvent });

  async function work(stream: string, looks: number): Promise<Turn> {
    try {
      if (!isConversation(stream)) return await eventTurn(stream);
      if (!wantsMessages(current)) return 'done';
      const known = newestKnown(stream);
      const turn = await messageTurn(stream, looks);
      if (turn === 'done' && newestKnown(stream) <= known) changed.delete(stream);
      return turn;
    } catch (err) {
      log.debug({ err }, 'a webhook could not be served; trying again');
      await new Promise((resolve) => setTimeout(resolve, STORE_WAIT_MS).unref());
      return ending.signal.aborted ? 'done' : 'more';
    }
  }

  function add(stream: string, rev: number, isNoted: boolean): void {
    const known = changed.get(stream);
    if (!known || known.rev < rev) changed.set(stream, { rev, isNoted });
    const isKnown = schedule.wake(stream);
    // What is noted will be found again.
    if (!isKnown && isNoted) changed.delete(stream);
  }

  const look = createLook({ webhook, cursors, collections, schedule, add });

  return {
    replace(webhook) {
      const isNewFeed = !webhook.feed_id.equals(current.feed_id);
      current = webhook;
      if (isNewFeed) {
        changed.clear();
        cursors.forget(() => true);
      }
      schedule.retryNow();
    },
    changed(conversations) {
      if (wantsMessages(current)) for (const { id, rev } of conversations) add(id, rev, false);
    },
    happened: (stream) => void schedule.wake(stream),
    look,
    async note() {
      const waiting = [...changed].filter(([, { isNoted }]) => !isNoted);
      await cursors.note(
        current,
        waiting.map(([stream, { rev }]) => [stream, rev] as const),
      );
      for (const [stream, noted] of waiting) {
        noted.isNoted = true;
        if (!schedule.has(stream) && changed.get(stream) === noted) changed.delete(stream);
      }
    },
    lost(partitions) {
      const isGone = (stream: string) => partitions.includes(partitionOf(stream));
      schedule.forget(isGone);
      cursors.forget(isGone);
      for (const stream of changed.keys()) if (isGone(stream)) changed.delete(stream);
    },
    size: schedule.size,
    oldest: schedule.oldest,
    async close() {
      const idle = schedule.close();
      const timer = setTimeout(() => ending.abort(), PATIENCE_MS);
      await idle;
      clearTimeout(timer);
      ending.abort();
    },
  };
}

interface LookOptions {
  webhook(): WebhookDocument;
  cursors: ReturnType<typeof createCursorStore>;
  collections: Pick<Collections, 'webhook_events'>;
  schedule: ReturnType<typeof createSchedule>;
  add(stream: string, rev: number, isNoted: boolean): void;
}

/** @returns looks in the store for what waits, unless much is known to wait already */
function createLook({ webhook, cursors, collections, schedule, add }: LookOptions): Feed['look'] {
  let notBefore = 0;
  return async (partitions) => {
    const began = performance.now();
    if (schedule.size() >= FEW || began < notBefore || partitions.length === 0) return;
    const { _id: webhook_id } = webhook();
    const [waiting, events] = await Promise.all([
      wantsMessages(webhook()) ? cursors.waiting(webhook(), partitions, MOST_READ) : [],
      collections.webhook_events
        .find({ webhook_id, partition: { $in: partitions } }, { projection: { _id: 0, stream: 1 } })
        .limit(MOST_READ)
        .toArray(),
    ]);
    for (const [stream, rev] of waiting) add(stream, rev, true);
    for (const stream of new Set(events.map(({ stream }) => stream))) schedule.wake(stream);
    notBefore = performance.now() + REST * (performance.now() - began);
  };
}

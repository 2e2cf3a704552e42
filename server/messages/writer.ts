/**
 * Stores messages and their changes in order. Within this node a conversation has one writer at a time: sends that
 * arrive while it is busy leave as one batch (group commit, as databases do with their logs). Between nodes the unique
 * indexes on `(conversation_id, seq)` and `(conversation_id, rev)` decide: whoever is refused reads the newest position
 * and tries again (optimistic concurrency). No position is taken before the one below it is stored, so there are no
 * gaps, whichever process dies.
 */
import type { Bus } from '../bus/bus.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages } from '../conversations/newest-messages.ts';
import type { Actors } from '../delivery/actors.ts';
import { createLanes } from '../lib/lanes.ts';
import { createLru } from '../lib/lru.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { type AmendParts, type AmendTask, amendBatch } from './amend-batch.ts';
import type { Amendment } from './amendment.ts';
import type { Draft } from './drafts.ts';
import type { PositionsOptions } from './positions.ts';
import { type SendParts, type SendTask, type Sent, sendBatch } from './send-batch.ts';
import { createSlowSends, followsOf } from './slow-mode.ts';
import type { SummaryWriter } from './summary-writer.ts';

/** Sends, or changes, stored together. */
const MAX_BATCH = 500;
/** How many changed messages are remembered, and for how long, in milliseconds: longer than a change waits. */
const AMENDED = 100;
const AMENDED_MS = 5000;

export interface Writer {
  /**
   * Stores a message at the end of its conversation and tells the bus.
   * @param socket the socket that acts: it gets the acknowledgement instead of the event
   * @param dueAt when the answer is due, by `performance.now()`; never by default
   * @throws ContractError `unavailable` where other nodes are always first, or the turn came too late: then nothing is
   *   stored; what the store throws
   */
  send(conversation: ConversationRef, draft: Draft, socket: string | undefined, dueAt?: number): Promise<Sent>;
  /**
   * Changes a message under the next `rev` and tells the bus.
   * @returns the message as it is afterwards
   * @throws ContractError `unavailable` where other writers are always first, or the turn came too late: then nothing is
   *   changed; what `decide` and the store throw
   */
  amend(amendment: Amendment): Promise<MessageDocument>;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
}

export interface WriterOptions extends PositionsOptions {
  newest: NewestMessages;
  store: Pick<
    MessageStore,
    | 'of'
    | 'properSeq'
    | 'withThreads'
    | 'insert'
    | 'sent'
    | 'followers'
    | 'newest'
    | 'amend'
    | 'findAll'
    | 'show'
    | 'open'
    | 'countPinned'
  >;
  summaries: SummaryWriter;
  bus: Pick<Bus, 'changes' | 'heal'>;
  actors: Pick<Actors, 'note' | 'forget'>;
  keepTexts?: AmendParts['keepTexts'];
  clock(): Date;
}

/** One writer per process: its lanes are what keeps a conversation's writes in order within this node. */
export function createWriter(options: WriterOptions): Writer {
  const parts = { ...options, amended: createLru<MessageDocument>('changed messages', AMENDED, { ttl: AMENDED_MS }) };
  const lanes = createLanes('messages', (tasks: Task[]) => carryOut(parts, tasks), MAX_BATCH, isAlike);
  /** Sends under way that have a `client_message_id`: a repeat waits for the first. */
  const underWay = new Map<string, Promise<Sent>>();

  const sendSlowly = createSlowSends();

  function enqueue(task: Omit<SendTask, 'resolve' | 'reject'>): Promise<Sent> {
    const { conversation, draft } = task;
    const join = () =>
      new Promise<Sent>((resolve, reject) => {
        lanes.join(conversation.id, { ...task, resolve, reject });
      });
    const follows = followsOf(draft);
    return follows === undefined ? join() : sendSlowly(`${conversation.id} ${draft.sender_id}`, follows, join);
  }

  return {
    send(conversation, draft, socket, dueAt) {
      const task = { conversation, draft, socket, dueAt };
      if (draft.client_message_id === undefined) return enqueue(task);
      const key = `${conversation.id} ${draft.sender_id} ${draft.client_message_id}`;
      const first = underWay.get(key);
      // Where the first fails, so does the repeat: behind it, others of the same device may have been stored already.
      if (first) return first.then(({ message }) => ({ message, duplicate: true }));
      const sent = enqueue(task);
      const ended = () => underWay.delete(key);
      underWay.set(key, sent);
      sent.then(ended, ended);
      return sent;
    },
    amend: (amendment) =>
      new Promise((resolve, reject) => {
        lanes.join(amendment.conversation.id, { ...amendment, resolve, reject });
      }),
    idle: lanes.idle,
  };
}

type Task = SendTask | AmendTask;
const isSend = (task: Task): task is SendTask => 'draft' in task;
const isAlike = (one: Task, other: Task) => isSend(one) === isSend(other);

function carryOut(parts: SendParts & AmendParts, tasks: Task[]): Promise<void> {
  const sends = tasks.filter(isSend);
  return sends.length > 0 ? sendBatch(parts, sends) : amendBatch(parts, tasks as AmendTask[]);
}

/** Stores a batch of sends at the end of their conversation, tells the bus, and settles each send. */
import type { Bus } from '../bus/bus.ts';
import type { Change } from '../bus/operations.ts';
import type { Follower, LastSent, MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages, Position } from '../conversations/newest-messages.ts';
import { inTime } from '../lib/deadline.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { isDuplicate, refusalError } from '../model/failures.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { Draft } from './drafts.ts';
import { MAX_ATTEMPTS, newestPosition, type PositionsOptions, tooBusy } from './positions.ts';
import { followsOf, Overtaken } from './slow-mode.ts';
import { type StoreParts, storeBatch } from './store-batch.ts';
import { placeReplies } from './threads/replies.ts';

export interface Sent {
  message: MessageDocument;
  /** The message had been sent before under the same `client_message_id`. */
  duplicate: boolean;
}

/** A send that waits for its turn. */
export interface SendTask {
  conversation: ConversationRef;
  draft: Draft;
  /** The socket that acts: it gets the acknowledgement instead of the event. */
  socket: string | undefined;
  /** When the answer is due, by `performance.now()`. */
  dueAt: number | undefined;
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

export interface SendParts extends StoreParts, PositionsOptions {
  store: Pick<MessageStore, 'of' | 'properSeq' | 'insert' | 'sent' | 'followers' | 'findAll' | 'newest' | 'open'>;
  newest: Pick<NewestMessages, 'position' | 'learn' | 'note' | 'forget'>;
  bus: Pick<Bus, 'changes' | 'heal'>;
  clock(): Date;
}

/**
 * Stores sends in their order and resolves or rejects each task. Never rejects itself.
 * @param tasks sends to one conversation, in their order
 */
export async function sendBatch(parts: SendParts, tasks: SendTask[]): Promise<void> {
  const { conversation } = tasks[0]!;
  try {
    await sendAll(parts, conversation, tasks);
  } catch (error) {
    // The store may have taken them all the same. Healing delivers what it took, and a repeat finds it.
    parts.newest.forget(conversation);
    for (const task of tasks) task.reject(error);
    parts.bus.heal(conversation);
  }
}

async function sendAll(parts: SendParts, conversation: ConversationRef, tasks: SendTask[]): Promise<void> {
  let rest = tasks;
  // Each repeat in the batch costs an attempt of its own.
  for (let attempt = 0; rest.length > 0; attempt++) {
    if (attempt === MAX_ATTEMPTS + tasks.length) throw tooBusy();
    rest = inTime(rest, tooBusy);
    if (rest.length === 0) return;
    const position = await newestPosition(parts, conversation);
    const placed = await placeReplies(parts.store, conversation, rest, position);
    rest = placed.tasks;
    if (rest.length === 0) return;
    const documents = numbered(rest, { ...position, properSeq: placed.properSeq }, parts.clock());
    const { count, refusal, summaryFailure } = await storeBatch(parts, conversation, documents, rest);
    if (summaryFailure) {
      // Told, as they are stored, but not acknowledged: a repeat finds each one and writes the summary.
      tell(parts, conversation, documents, []);
      throw summaryFailure.reason;
    }
    if (count > 0) tell(parts, conversation, documents.slice(0, count), rest);
    rest = rest.slice(count);
    const [refused] = rest;
    if (!refusal || !refused) continue;
    if (isDuplicate(refusal)) {
      rest = await settleDuplicates(parts, refused, rest);
    } else {
      refused.reject(refusalError(refusal));
      rest = rest.slice(1);
    }
  }
}

/** Puts the messages at the next positions, under one date, so that their order by time is that of `seq`. */
function numbered(
  tasks: SendTask[],
  { seq, rev, properSeq }: Position & { properSeq: number },
  at: Date,
): MessageDocument[] {
  let proper = properSeq;
  return tasks.map(({ draft }, i) => {
    if (!draft.aside) proper = seq + 1 + i;
    const position = { seq: seq + 1 + i, rev: rev + 1 + i, revs: [rev + 1 + i], created_at: at, updated_at: at };
    return { ...draft, ...position, ...(draft.aside ? { proper_seq: proper } : {}) } as MessageDocument;
  });
}

/**
 * Settles what is stored already where a unique index refused a task. The documents tell the reason, not the error: the
 * task repeats an earlier send; or an attempt whose answer was lost has stored it, and perhaps those behind it; or
 * another node took its position; or in slow mode the sender was quicker with another message.
 * @param tasks the refused one and those behind it
 * @returns those that must be tried again
 */
async function settleDuplicates(parts: SendParts, { conversation, draft }: SendTask, tasks: SendTask[]) {
  const { store, newest, summaries, bus } = parts;
  const { sender_id, client_message_id } = draft;
  const [first, stored, overtaken] = await Promise.all([
    client_message_id === undefined ? null : store.sent(conversation, sender_id, client_message_id),
    store.findAll(
      conversation,
      tasks.map((task) => task.draft._id),
    ),
    overtakenAmong(store, tasks),
  ]);
  if (first && !first._id.equals(draft._id)) {
    // The first send may have died before it wrote the summary or told the bus.
    await summaries.sent(conversation, first);
    bus.heal(conversation);
    tasks[0]!.resolve({ message: first, duplicate: true });
    return tasks.slice(1);
  }
  newest.forget(conversation);
  const last = stored.at(-1);
  if (!last) {
    for (const [task, by] of overtaken) task.reject(new Overtaken(by));
    return tasks.filter((task) => !overtaken.has(task));
  }
  await summaries.sent(conversation, last);
  const settled = stored.map((message) => tasks.find((task) => task.draft._id.equals(message._id))!);
  // A message that somebody has changed since is no longer at the rev under which it would be told as new.
  if (stored.every(({ rev, revs }) => rev === revs?.[0])) tell(parts, conversation, stored, settled);
  else bus.heal(conversation);
  for (const [i, message] of stored.entries()) settled[i]!.resolve({ message, duplicate: false });
  return tasks.filter((task) => !settled.includes(task));
}

/** The tasks in whose place, in slow mode, another message of their sender is stored; each with that message. */
async function overtakenAmong(
  store: Pick<MessageStore, 'followers'>,
  tasks: readonly SendTask[],
): Promise<Map<SendTask, LastSent>> {
  const following = tasks.filter((task) => followsOf(task.draft) !== undefined);
  const overtaken = new Map<SendTask, LastSent>();
  if (following.length === 0) return overtaken;
  const found = await store.followers(
    following[0]!.conversation,
    following.map(({ draft }) => draft as Follower),
  );
  for (const task of following) {
    const { _id, sender_id } = task.draft;
    const isInItsPlace = (one: Follower) =>
      one.sender_id.equals(sender_id) && one.follows_seq === followsOf(task.draft) && !one._id.equals(_id);
    const by = found.find(isInItsPlace);
    if (by) overtaken.set(task, by);
  }
  return overtaken;
}

/** Tells the bus of new messages and acknowledges their tasks. */
function tell(
  { newest, bus }: SendParts,
  conversation: ConversationRef,
  documents: MessageDocument[],
  tasks: SendTask[],
) {
  const changes = documents.map(
    (document, i): Change => ({
      rev: document.rev,
      message: toWireMessage(document),
      is_new: true,
      last_seq: document.seq,
      except_socket: tasks[i]?.socket,
    }),
  );
  newest.note(conversation, changes);
  bus.changes(conversation, changes);
  for (const [i, message] of documents.entries()) tasks[i]?.resolve({ message, duplicate: false });
}

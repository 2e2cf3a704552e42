/** Stores a batch of sends at the end of their conversation, tells the bus, and settles each send. */
import type { Bus } from '../bus/bus.ts';
import type { Change } from '../bus/operations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { duplicateIndex, type Refusal } from '../model/failures.ts';
import { CLIENT_MESSAGE_INDEX } from '../model/indexes.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { Draft } from './drafts.ts';
import { MAX_ATTEMPTS, type Position, type Positions, tooBusy } from './positions.ts';
import { type StoreParts, storeBatch } from './store-batch.ts';

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
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

export interface SendParts extends StoreParts {
  store: Pick<MessageStore, 'insert' | 'sent'>;
  positions: Positions;
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
    parts.positions.forget(conversation);
    for (const task of tasks) task.reject(error);
    parts.bus.heal(conversation);
  }
}

async function sendAll(parts: SendParts, conversation: ConversationRef, tasks: SendTask[]): Promise<void> {
  let rest = tasks;
  // Each repeat in the batch costs an attempt of its own.
  for (let attempt = 0; rest.length > 0; attempt++) {
    if (attempt === MAX_ATTEMPTS + tasks.length) throw tooBusy();
    const newest = await parts.positions.newest(conversation);
    const documents = numbered(rest, newest, parts.clock());
    const { count, refusal, summaryFailure } = await storeBatch(parts, conversation, documents, rest);
    if (summaryFailure) {
      // Told, as they are stored, but not acknowledged: a repeat finds each one and writes the summary.
      tell(parts.bus, conversation, documents, []);
      throw summaryFailure.reason;
    }
    if (count > 0) {
      parts.positions.advance(conversation, { seq: newest.seq + count, rev: newest.rev + count });
      tell(parts.bus, conversation, documents.slice(0, count), rest);
    }
    const refused = rest[count];
    rest = rest.slice(count);
    if (refusal && refused && (await settleRefusal(parts, refused, refusal))) rest = rest.slice(1);
  }
}

/** Puts the messages at the next positions, under one date: ordered by time, messages are ordered by `seq`. */
function numbered(tasks: SendTask[], { seq, rev }: Position, at: Date): MessageDocument[] {
  return tasks.map(({ draft }, i) => {
    const position = { seq: seq + 1 + i, rev: rev + 1 + i, revs: [rev + 1 + i], created_at: at, updated_at: at };
    return { ...draft, ...position } as MessageDocument;
  });
}

/** @returns whether the task is settled; if not, it must be tried again */
async function settleRefusal(parts: SendParts, task: SendTask, refusal: Refusal): Promise<boolean> {
  const { store, positions, summaries, bus } = parts;
  const { conversation, draft } = task;
  const index = duplicateIndex(refusal);
  if (index === undefined) {
    task.reject(new Error(`the store refused a message: ${refusal.code}`));
    return true;
  }
  if (index !== CLIENT_MESSAGE_INDEX) {
    // Another node was first.
    positions.forget(conversation);
    return false;
  }
  const message = await store.sent(conversation, draft.sender_id, draft.client_message_id!);
  if (!message) return false;
  // The first send may have died before it wrote the summary or told the bus.
  await summaries.sent(conversation, message);
  bus.heal(conversation);
  task.resolve({ message, duplicate: true });
  return true;
}

/** Tells the bus of new messages and acknowledges their tasks. */
function tell(bus: SendParts['bus'], conversation: ConversationRef, documents: MessageDocument[], tasks: SendTask[]) {
  const changes = documents.map(
    (document, i): Change => ({
      rev: document.rev,
      message: toWireMessage(document),
      is_new: true,
      last_seq: document.seq,
      except_socket: tasks[i]?.socket,
    }),
  );
  bus.changes(conversation, changes);
  for (const [i, message] of documents.entries()) tasks[i]?.resolve({ message, duplicate: false });
}

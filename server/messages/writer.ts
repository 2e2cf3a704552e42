/**
 * Gives each conversation's messages their place (DESIGN 2, "order without a hot counter"): within this node one
 * conversation has one writer at a time, and what arrives while a write is under way goes out together as the next
 * batch (group commit, as databases do with their logs). Between nodes the unique indexes on `(conversation_id, seq)`
 * and `(conversation_id, rev)` decide: who is refused reads the newest values and tries again (optimistic concurrency).
 * No value is taken before the one below it is stored, so there are no gaps, whichever process dies.
 */
import { LRUCache } from 'lru-cache';
import type { UpdateFilter } from 'mongodb';
import type { GroupMessageDocument, MessageDocument, PairMessageDocument } from '../model/documents/messages.ts';
import { duplicateIndex, isDuplicateKey, type Refusal } from '../model/failures.ts';
import { CLIENT_MESSAGE_INDEX } from '../model/indexes.ts';
import { unavailable } from '../lib/errors.ts';
import type { Actors } from '../delivery/actors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Change } from '../bus/operations.ts';
import { MAX_BATCH, type MessageStore, type Stored } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** How often a write is tried against other nodes that are quicker before the sender is asked to come back. */
const MAX_ATTEMPTS = 50;
/** How many conversations' newest values are remembered. */
const REMEMBERED = 50_000;

type Position = 'seq' | 'rev' | 'created_at' | 'updated_at';
/** A message without its position in the conversation. */
export type Draft = Omit<PairMessageDocument, Position> | Omit<GroupMessageDocument, Position>;

export interface Sent {
  message: MessageDocument;
  /** It had been sent before under the same `client_message_id`. */
  duplicate: boolean;
}

/** What a change does to a message as it is now: undefined when there is nothing to change. May throw a refusal. */
export type Decide = (message: MessageDocument) => UpdateFilter<MessageDocument> | undefined;

export interface Writer {
  /**
   * Stores a message at the end of its conversation and tells it.
   * @param socket the socket that acts, which is not told
   */
  send(conversation: ConversationRef, draft: Draft, socket?: string): Promise<Sent>;
  /** Changes a message under the next `rev` and tells it. Returns the message as it is afterwards. */
  amend(
    conversation: ConversationRef,
    message: MessageDocument,
    decide: Decide,
    socket?: string,
  ): Promise<MessageDocument>;
  /** Resolves when nothing is being written any more. */
  idle(): Promise<void>;
}

interface SendTask {
  kind: 'send';
  draft: Draft;
  socket: string | undefined;
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

interface AmendTask {
  kind: 'amend';
  message: MessageDocument;
  decide: Decide;
  socket: string | undefined;
  resolve(message: MessageDocument): void;
  reject(error: unknown): void;
}

interface Line {
  conversation: ConversationRef;
  /** The newest values, when they are known. */
  newest: { seq: number; rev: number } | undefined;
  queue: (SendTask | AmendTask)[];
  /** Sends under way by sender and `client_message_id`: a repeat waits for the first. */
  underWay: Map<string, Promise<Sent>>;
  running: Promise<void> | undefined;
}

/** The conversation's summary, as far as writing concerns it. */
export interface SummaryWriter {
  /** A message became the newest one of its conversation. */
  sent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /** A message was changed and carries the newest `rev`. */
  changed(conversation: ConversationRef, rev: number, at: Date): Promise<void>;
  /** Takes back what `sent` told of a message that was refused after all. */
  unsent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
}

export interface WriterOptions {
  store: MessageStore;
  summaries: SummaryWriter;
  bus: Bus;
  actors: Pick<Actors, 'note' | 'forget'>;
  /** Called before the first message of a pair is stored. Idempotent. */
  open(conversation: ConversationRef): Promise<void>;
  clock(): Date;
}

export function createWriter({ store, summaries, bus, actors, open, clock }: WriterOptions): Writer {
  const lines = new LRUCache<string, Line>({ max: REMEMBERED });
  const running = new Set<Promise<void>>();

  function lineOf(conversation: ConversationRef): Line {
    let line = lines.get(conversation.id);
    if (!line) {
      line = { conversation, newest: undefined, queue: [], underWay: new Map(), running: undefined };
      lines.set(conversation.id, line);
    }
    return line;
  }

  function enqueue(line: Line, task: SendTask | AmendTask): void {
    line.queue.push(task);
    if (line.running) return;
    const run = drain(line);
    line.running = run;
    running.add(run);
    void run.finally(() => running.delete(run));
  }

  async function drain(line: Line): Promise<void> {
    // What arrives in the same turn of the event loop makes one batch.
    await Promise.resolve();
    for (let first = line.queue[0]; first; first = line.queue[0]) {
      if (first.kind === 'amend') {
        line.queue.shift();
        await amendOne(line, first).catch(first.reject);
      } else {
        let count = 0;
        while (count < MAX_BATCH && line.queue[count]?.kind === 'send') count++;
        const tasks = line.queue.splice(0, count) as SendTask[];
        await sendBatch(line, tasks).catch((error: unknown) => {
          // Whether the store took them is not known: who asks again is answered with what is there.
          line.newest = undefined;
          for (const task of tasks) task.reject(error);
          bus.heal(line.conversation);
        });
      }
    }
    // In the same turn in which the queue was seen empty: what comes next starts a new run.
    line.running = undefined;
  }

  async function newestOf(line: Line): Promise<{ seq: number; rev: number }> {
    if (!line.newest) {
      line.newest = await store.newest(line.conversation);
      if (line.newest.seq === 0 && line.conversation.kind === 'direct') await open(line.conversation);
    }
    return line.newest;
  }

  async function sendBatch(line: Line, tasks: SendTask[]): Promise<void> {
    let rest = tasks;
    for (let attempt = 0; rest.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS + tasks.length) throw unavailable('the conversation is too busy; try again');
      const { seq, rev } = await newestOf(line);
      // Dated together with their positions: by their times, messages have the same order.
      const at = clock();
      const documents = rest.map(({ draft }, i) => {
        const position = { seq: seq + 1 + i, rev: rev + 1 + i, revs: [rev + 1 + i], created_at: at, updated_at: at };
        return { ...draft, ...position } as MessageDocument;
      });
      const { count, refusal } = await storeBatch(line, documents, rest);
      if (count > 0) {
        line.newest = { seq: seq + count, rev: rev + count };
        tell(line.conversation, documents.slice(0, count), rest);
      }
      const refused = rest[count];
      rest = rest.slice(count);
      if (refusal && refused && (await settleRefusal(line, refused, refusal))) rest = rest.slice(1);
    }
  }

  /** Until the function that is returned is called, it is known who has these messages stored. */
  function noteActors(documents: MessageDocument[], tasks: SendTask[]): () => void {
    const noted = documents.flatMap(({ _id, rev }, i) => {
      const socket = tasks[i]?.socket;
      return socket === undefined ? [] : [{ id: _id.toHexString(), rev, socket }];
    });
    for (const { id, rev, socket } of noted) actors.note(id, rev, socket);
    return () => {
      for (const { id, rev } of noted) actors.forget(id, rev);
    };
  }

  /** Stores as many of the documents, in their order, as there is room for, and the summary with them. */
  async function storeBatch(line: Line, documents: MessageDocument[], tasks: SendTask[]): Promise<Stored> {
    const last = documents.at(-1)!;
    const forgetActors = noteActors(documents, tasks);
    const [inserted, summary] = await Promise.allSettled([
      store.insert(line.conversation, documents),
      summaries.sent(line.conversation, last),
    ]);
    forgetActors();
    if (inserted.status === 'rejected') throw inserted.reason;
    if (inserted.value.refusal) {
      await summaries.unsent(line.conversation, last);
    } else if (summary.status === 'rejected') {
      // Stored all the same: it is told, but acknowledged only when a repeat finds it with its summary.
      tell(line.conversation, documents, []);
      throw summary.reason;
    }
    return inserted.value;
  }

  /** @returns whether the task that was refused is settled; otherwise it is to be tried again */
  async function settleRefusal(line: Line, task: SendTask, refusal: Refusal): Promise<boolean> {
    const index = duplicateIndex(refusal);
    if (index === undefined) {
      task.reject(new Error(`the store refused a message: ${refusal.code}`));
      return true;
    }
    if (index !== CLIENT_MESSAGE_INDEX) {
      line.newest = undefined;
      return false;
    }
    const { sender_id, client_message_id } = task.draft;
    const message = await store.sent(line.conversation, sender_id, client_message_id!);
    if (!message) return false;
    // Its first acknowledgement may have been lost together with the summary or the telling.
    await summaries.sent(line.conversation, message);
    bus.heal(line.conversation);
    task.resolve({ message, duplicate: true });
    return true;
  }

  function tell(conversation: ConversationRef, documents: MessageDocument[], tasks: SendTask[]): void {
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

  async function amendOne(line: Line, task: AmendTask): Promise<void> {
    let message: MessageDocument | null = task.message;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const update = task.decide(message);
      if (!update) {
        // It may be the repeat of a change whose process died before it told the summary.
        await summaries.changed(line.conversation, message.rev, message.updated_at);
        return task.resolve(message);
      }
      const { seq, rev } = await newestOf(line);
      if (message.rev > rev) {
        // Another node was here: its change of this very message would not stand in the way of the same rev.
        line.newest = undefined;
        continue;
      }
      const at = clock();
      let amended: MessageDocument | null = null;
      try {
        amended = await store.amend(message, rev + 1, { ...update, $set: { ...update.$set, updated_at: at } });
      } catch (error) {
        line.newest = undefined;
        if (!isDuplicateKey(error)) {
          bus.heal(line.conversation);
          throw error;
        }
      }
      if (amended) {
        line.newest = { seq, rev: rev + 1 };
        const change = { rev: rev + 1, message: toWireMessage(amended), is_new: false, last_seq: seq };
        bus.changes(line.conversation, [{ ...change, except_socket: task.socket }]);
        await summaries.changed(line.conversation, rev + 1, at);
        return task.resolve(amended);
      }
      message = await store.find(task.message._id);
      if (!message) break;
    }
    throw unavailable('the conversation is too busy; try again');
  }

  return {
    async send(conversation, draft, socket) {
      const line = lineOf(conversation);
      const key = draft.client_message_id === undefined ? undefined : `${draft.sender_id}:${draft.client_message_id}`;
      const first = key === undefined ? undefined : line.underWay.get(key);
      if (first) return { message: (await first).message, duplicate: true };
      const sent = new Promise<Sent>((resolve, reject) => {
        enqueue(line, { kind: 'send', draft, socket, resolve, reject });
      });
      if (key === undefined) return sent;
      line.underWay.set(key, sent);
      return sent.finally(() => line.underWay.delete(key));
    },
    amend(conversation, message, decide, socket) {
      return new Promise((resolve, reject) => {
        enqueue(lineOf(conversation), { kind: 'amend', message, decide, socket, resolve, reject });
      });
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/**
 * A client that never gives up: it sends numbered messages without pause, each until it is acknowledged, connects to
 * another node when it loses one, catches up by `sync`, and keeps what it was told and when.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import type { Message } from '../../shared/contract/documents.ts';
import type { CommandData } from '../../shared/contract/index.ts';
import type { Account } from '../support/client.ts';
import { openSocket } from '../support/sockets.ts';
import { answerCalls, callOnce, hangUp } from './calls.ts';

const ACK_MS = 3000;
/** All that was missed: to give up half-way would only cost the server the same work again. */
const SYNC_MS = 10_000;
const CONNECT_MS = 4000;

export interface Target {
  recipient_id?: string;
  group_id?: string;
}

/** What one connection was told live. */
export interface Connection {
  events: { conversation: string; seq: number; rev: number; isNew: boolean; mine: boolean }[];
  /** The highest seq of each conversation that `sync` gave after the connection was made. */
  synced: Map<string, number>;
  /** Whether it lives to the end. */
  isLast: boolean;
}

export interface Acknowledged {
  _id: string;
  conversation: string;
  seq: number;
  content: string;
}

export interface ChaosClient {
  account: Account;
  connections: Connection[];
  acknowledged: Acknowledged[];
  /** What the client knows: by conversation and seq. */
  state: Map<string, Map<number, Message>>;
  /** The longest that a message had to wait for its acknowledgement, in milliseconds. */
  longestWait(): number;
  /** Sends nothing new; resolves when what was begun is acknowledged. */
  finish(): Promise<void>;
  close(): void;
}

interface Answer {
  ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the commands used here are few
  data?: any;
}

/**
 * @param urls the nodes
 * @param targets whom it writes to, in turn
 * @param localAddress the address of this machine that it connects from; any by default
 */
export function startClient(urls: string[], account: Account, targets: Target[], localAddress?: string): ChaosClient {
  // An option of the package `ws`, which takes them from the same place.
  const source = localAddress === undefined ? {} : { localAddress };
  const connections: Connection[] = [];
  const acknowledged: Acknowledged[] = [];
  const state = new Map<string, Map<number, Message>>();
  const revs = new Map<string, number>();
  const me = account.user._id;
  let socket: Socket | undefined;
  let stopping = false;
  let closed = false;
  let longest = 0;
  let node = Math.floor(Math.random() * urls.length);
  let latest: Message | undefined;

  function keep(message: Message): void {
    const messages = state.get(message.conversation_id) ?? new Map<number, Message>();
    state.set(message.conversation_id, messages);
    if ((messages.get(message.seq)?.rev ?? 0) < message.rev) messages.set(message.seq, message);
  }

  async function command(name: string, payload: object, timeoutMs = ACK_MS): Promise<Answer> {
    if (!socket?.connected) throw new Error('not connected');
    return socket.timeout(timeoutMs).emitWithAck(name, payload);
  }

  /** One connection, ready and caught up; throws when it cannot be had. */
  async function open(): Promise<void> {
    node = (node + 1) % urls.length;
    const fresh = openSocket(urls[node]!, { token: account.access_token }, { timeout: CONNECT_MS, ...source });
    const connection: Connection = { events: [], synced: new Map(), isLast: false };
    const told = (isNew: boolean) => (payload: { message: Message }) => {
      const { message } = payload;
      const { conversation_id: conversation, seq, rev } = message;
      connection.events.push({ conversation, seq, rev, isNew, mine: message.sender_id === me });
      keep(message);
      if (isNew) latest = message;
    };
    answerCalls(fresh);
    fresh.on('message:new', told(true));
    fresh.on('message:updated', told(false));
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no session:ready')), CONNECT_MS);
        fresh.once('session:ready', () => {
          clearTimeout(timer);
          resolve();
        });
        for (const failure of ['connect_error', 'disconnect']) {
          fresh.once(failure, () => {
            clearTimeout(timer);
            reject(new Error(failure));
          });
        }
      });
      socket = fresh;
      await synchronise(connection);
    } catch (error) {
      fresh.disconnect();
      socket = undefined;
      throw error;
    }
    connections.push(connection);
  }

  async function synchronise(connection: Connection): Promise<void> {
    for (let more = true; more; ) {
      const answer = await command('sync', { conversations: Object.fromEntries(revs) }, SYNC_MS);
      if (!answer.ok) throw new Error('sync refused');
      const { conversations, has_more } = answer.data as CommandData<'sync'>;
      for (const { conversation, messages, has_more: moreHere } of conversations) {
        for (const message of messages) keep(message);
        const id = conversation.conversation_id;
        revs.set(id, Math.max(revs.get(id) ?? 0, messages.at(-1)?.rev ?? 0));
        const highest = Math.max(0, ...messages.map((message) => message.seq));
        connection.synced.set(
          id,
          Math.max(connection.synced.get(id) ?? 0, highest, moreHere ? 0 : conversation.last_seq),
        );
      }
      more = has_more || conversations.some((conversation) => conversation.has_more);
    }
  }

  async function connected(): Promise<void> {
    while (!socket?.connected && !closed) {
      await open().catch(() => pause(50 + Math.random() * 200));
    }
  }

  /** Until it is acknowledged, whatever dies. */
  async function send(target: Target, content: string): Promise<void> {
    const begun = Date.now();
    for (;;) {
      await connected();
      if (closed) return;
      try {
        const answer = await command('message:send', { ...target, content, client_message_id: content });
        if (answer.ok) {
          const message: Message = answer.data.message;
          keep(message);
          const { _id, conversation_id: conversation, seq } = message;
          acknowledged.push({ _id, conversation, seq, content });
          break;
        }
        await pause(100);
      } catch {
        // It does not answer: another node may.
        socket?.disconnect();
      }
    }
    longest = Math.max(longest, Date.now() - begun);
  }

  async function react(): Promise<void> {
    if (!latest) return;
    const message_id = latest._id;
    await command('message:react', { message_id, emoji: '👍' })
      .then((answer) => answer.ok && keep(answer.data.message))
      // Whether it was done is not known, and its own change nobody tells the one who made it.
      .catch(() => socket?.disconnect());
  }

  async function run(): Promise<void> {
    for (let n = 0; !stopping; n++) {
      await send(targets[n % targets.length]!, `${account.username} ${n}`);
      if (n % 7 === 0) await react();
      const callee = targets.find((target) => target.recipient_id)?.recipient_id;
      // Whether it rang when its node died is not known: in the end no call may be left.
      if (n % 9 === 0 && callee) void callOnce(command, callee).catch(() => {});
      await pause(20 + Math.random() * 60);
    }
  }

  const running = run();

  return {
    account,
    connections,
    acknowledged,
    state,
    longestWait: () => longest,
    async finish() {
      stopping = true;
      await running;
      await connected();
      await hangUp(command);
      const last = connections.at(-1);
      if (last) last.isLast = true;
    },
    close() {
      closed = true;
      socket?.disconnect();
    },
  };
}

/** A user with many conversations, and what such a user asks. */
import type { Socket } from 'socket.io-client';
import { connectMany, disconnect } from './devices.ts';
import { median } from './measurement.ts';
import type { LetsApp } from './sides.ts';

/** Users from number 2 on each send so many messages to one user; the writers are so many. */
export async function writeTo(app: LetsApp, user: number, writers: number, each: number): Promise<void> {
  const recipient_id = app.accounts[user]!.id;
  const sockets = await connectMany(app, 2, 2 + writers);
  for (let i = 0; i < each; i++) {
    await Promise.all(
      sockets.map((socket) => socket.emitWithAck('message:send', { recipient_id, content: `no. ${i}` })),
    );
  }
  disconnect(sockets);
}

/** @returns milliseconds of the first page of the list; the median of many */
export async function listTime(socket: Socket, repetitions = 20): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    const startedAt = performance.now();
    const answer = await socket.emitWithAck('conversation:list', { limit: 20 });
    if (answer.data.conversations.length !== 20) throw new Error('not a whole page');
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

interface SyncAnswer {
  data: {
    conversations: { conversation: { conversation_id: string }; messages: { rev: number }[] }[];
    has_more: boolean;
    cursor?: string;
  };
}

/** Repeats `sync` as the contract says, until nothing is missing. Returns what it took and brought. */
export async function syncAll(
  socket: Socket,
  since: string,
): Promise<{ ms: number; answers: number; messages: number }> {
  const conversations: Record<string, number> = {};
  const startedAt = performance.now();
  let messages = 0;
  let cursor: { cursor?: string } = {};
  for (let answers = 1; ; answers++) {
    const { data }: SyncAnswer = await socket.emitWithAck('sync', { conversations, since, ...cursor });
    for (const entry of data.conversations) {
      messages += entry.messages.length;
      const last = entry.messages.at(-1);
      if (last) conversations[entry.conversation.conversation_id] = last.rev;
    }
    cursor = data.cursor === undefined ? {} : { cursor: data.cursor };
    if (!data.has_more) return { ms: performance.now() - startedAt, answers, messages };
  }
}

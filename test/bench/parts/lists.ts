/** What a user with many conversations waits for: the list, and `sync` after a day away. */
import type { Socket } from 'socket.io-client';
import { inTurns } from '../bench.ts';
import { connectDevice, connectMany, disconnect } from '../devices.ts';
import { compared, median } from '../measurement.ts';
import type { Part } from '../part.ts';
import { type LetsApp, startLetsApp } from '../sides.ts';
import { number } from '../written.ts';

const FEW = 20;
const MANY = 2000;

export const lists: Part = {
  about: 'A user with 20 conversations and one with 2,000, in which 3 messages each were missed',
  rows: {
    page: {
      what: 'page of `conversation:list` at 2,000 conversations',
      unit: 'ms',
      against: '20 conversations',
      target: { of: 'ratio', atMost: 2 },
    },
  },
  async run(bench) {
    // Users of other parts have other conversations, too.
    const app = bench.own(await startLetsApp());
    await app.populate(MANY + 2);
    const since = new Date(Date.now() - 60_000).toISOString();
    await writeTo(app, 0, FEW, 1);
    await writeTo(app, 1, MANY, 3);
    const [few, many] = [await connectDevice(app, 0), await connectDevice(app, 1)];
    const rounds = await inTurns(
      () => listTime(few),
      () => listTime(many),
    );
    const { ms, answers, messages } = await syncAll(many, since);
    disconnect([few, many]);
    return {
      measurements: { page: compared(rounds.map(([against, measured]) => ({ against, measured }))) },
      notes: [
        `\`sync\` of ${number(messages)} missed messages in 2,000 conversations: ${answers} answers, ${number(ms)} ms.`,
      ],
    };
  },
};

/** Users from number 2 on each send so many messages to one user. */
async function writeTo(app: LetsApp, user: number, writers: number, each: number): Promise<void> {
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
async function listTime(socket: Socket, repetitions = 20): Promise<number> {
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
async function syncAll(socket: Socket, since: string): Promise<{ ms: number; answers: number; messages: number }> {
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

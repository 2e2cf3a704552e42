/** The database by itself: what one durable commit takes, and long conversations to read from. */
import { MongoClient, ObjectId } from 'mongodb';
import type { Socket } from 'socket.io-client';
import { pairRef } from '../../server/model/conversation-ref.ts';
import { percentile } from './figures.ts';
import type { LetsApp } from './sides.ts';

/** @returns milliseconds of one insertion, acknowledged when it is durable; the median of many, one by one */
export async function durableCommit(databaseUrl: string, commits = 300): Promise<number> {
  const client = await new MongoClient(databaseUrl, { writeConcern: { w: 'majority' } }).connect();
  const scratch = client.db().collection('bench_commits');
  const times: number[] = [];
  for (let i = 0; i < commits; i++) {
    const startedAt = performance.now();
    await scratch.insertOne({ content: 'x'.repeat(200), at: new Date() });
    times.push(performance.now() - startedAt);
  }
  await scratch.drop();
  await client.close();
  return percentile(times, 0.5);
}

/** Writes a conversation of so many messages between two users, past the server. */
export async function fillConversation(app: LetsApp, one: number, other: number, messages: number): Promise<void> {
  const client = await new MongoClient(app.databaseUrl).connect();
  const collection = client.db().collection('messages');
  const [sender, recipient] = [app.accounts[one]!.id, app.accounts[other]!.id];
  const { id } = pairRef(sender, recipient);
  const at = new Date();
  for (let seq = 1; seq <= messages; ) {
    const batch = Array.from({ length: Math.min(2000, messages - seq + 1) }, (_, i) => ({
      _id: new ObjectId(),
      conversation_id: id,
      seq: seq + i,
      rev: seq + i,
      sender_id: ObjectId.createFromHexString(sender),
      recipient_id: ObjectId.createFromHexString(recipient),
      content: `message ${seq + i} of a long conversation`,
      message_type: 'text',
      attachment: null,
      created_at: at,
      updated_at: at,
      status: 'sent',
      is_deleted: false,
      terms: ['message', 'conversation'],
    }));
    await collection.insertMany(batch, { ordered: true });
    seq += batch.length;
  }
  await client.close();
}

export interface PageTimes {
  newest: number;
  middle: number;
}

/** @returns milliseconds of the newest page and of one in the middle of each of two conversations, medians */
export async function pageTimes(
  socket: Socket,
  conversations: { recipient_id: string; messages: number }[],
  repetitions = 200,
): Promise<PageTimes[]> {
  const times = conversations.map(() => ({ newest: [] as number[], middle: [] as number[] }));
  const read = async (payload: object) => {
    const startedAt = performance.now();
    const answer = (await socket.emitWithAck('message:history', payload)) as { data: { messages: unknown[] } };
    if (answer.data.messages.length !== 50) throw new Error('not a whole page');
    return performance.now() - startedAt;
  };
  // In turns, so that whatever else the machine does falls on all alike.
  for (let i = 0; i < repetitions; i++) {
    for (const [at, { recipient_id, messages }] of conversations.entries()) {
      times[at]!.newest.push(await read({ recipient_id }));
      times[at]!.middle.push(await read({ recipient_id, before_seq: Math.floor(messages / 2) }));
    }
  }
  return times.map(({ newest, middle }) => ({ newest: percentile(newest, 0.5), middle: percentile(middle, 0.5) }));
}

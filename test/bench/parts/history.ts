/** Pages of long conversations. */
import { MongoClient, ObjectId } from 'mongodb';
import type { Socket } from 'socket.io-client';
import { pairRef } from '../../../server/model/conversation-ref.ts';
import { type Bench, ROUNDS } from '../bench.ts';
import { connectDevice } from '../devices.ts';
import { compared, median } from '../measurement.ts';
import type { Findings, Part } from '../part.ts';
import type { LetsApp } from '../sides.ts';

const SHORT = 1000;
const REPETITIONS = 70;

export const history: Part = historyAt(100_000, 10);
export const million: Part = { ...historyAt(1_000_000, 13), isLong: true };

/** @param user who has both conversations; no other part's */
function historyAt(messages: number, user: number): Part {
  const page = (what: string) => ({
    what: `${what} at ${messages.toLocaleString('en')} messages`,
    unit: 'ms',
    against: '1,000 messages',
    target: { of: 'ratio' as const, atMost: 1.2 },
  });
  return {
    about: `Pages of a conversation of ${messages.toLocaleString('en')} messages and of one of 1,000, in turns`,
    rows: { newest: page('newest page of history'), middle: page('page in the middle of the history') },
    run: (bench) => measure(bench, messages, user),
  };
}

async function measure(bench: Bench, messages: number, user: number): Promise<Findings> {
  const app = await bench.app();
  await app.populate(64);
  await fillConversation(app, user, user + 1, SHORT);
  await fillConversation(app, user, user + 2, messages);
  const socket = await connectDevice(app, user);
  const [short, long] = [app.id(user + 1), app.id(user + 2)];
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push({
      newest: await times(socket, { recipient_id: short }, { recipient_id: long }),
      middle: await times(
        socket,
        { recipient_id: short, before_seq: SHORT / 2 },
        { recipient_id: long, before_seq: messages / 2 },
      ),
    });
  }
  socket.disconnect();
  return {
    measurements: {
      newest: compared(rounds.map(({ newest }) => newest)),
      middle: compared(rounds.map(({ middle }) => middle)),
    },
  };
}

/** Reads two pages in turns. @returns milliseconds, medians */
async function times(socket: Socket, short: object, long: object): Promise<{ against: number; measured: number }> {
  const read = async (payload: object) => {
    const startedAt = performance.now();
    const answer = (await socket.emitWithAck('message:history', payload)) as { data: { messages: unknown[] } };
    if (answer.data.messages.length !== 50) throw new Error('not a whole page');
    return performance.now() - startedAt;
  };
  const [ofShort, ofLong]: [number[], number[]] = [[], []];
  for (let i = 0; i < REPETITIONS; i++) {
    ofShort.push(await read(short));
    ofLong.push(await read(long));
  }
  return { against: median(ofShort), measured: median(ofLong) };
}

/** Writes a conversation of so many messages between two users, past the server. */
async function fillConversation(app: LetsApp, one: number, other: number, messages: number): Promise<void> {
  const client = await new MongoClient(app.databaseUrl).connect();
  const collection = client.db().collection('messages');
  const [sender, recipient] = [app.id(one), app.id(other)];
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

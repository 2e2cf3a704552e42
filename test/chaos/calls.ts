/** Calls in the chaos: they ring, are answered and ended while nodes die; in the end nothing rings and no one is busy. */
import { setTimeout as pause } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { Socket } from 'socket.io-client';

interface Answer {
  ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the commands used here are few
  data?: any;
}

type Command = (name: string, payload: object) => Promise<Answer>;

/** Settings of the nodes under which what was left of a call ends within the run. */
export const CALL_TIMES = { CALL_RING_TIMEOUT_MS: '2000', CALL_RECONNECT_GRACE_MS: '1500' };

/** Longest that a dead node's calls may last: until it is known to be dead, and the grace, in milliseconds. */
const PATIENCE_MS = 25_000;

/** Every call that rings is answered. */
export function answerCalls(socket: Socket): void {
  socket.on('call:incoming', ({ call }: { call: { _id: string } }) => {
    socket.emit('call:accept', { call_id: call._id });
  });
}

/** One call, refused where one of the two is in another. Rejects when the node that was asked is gone. */
export async function callOnce(command: Command, recipient_id: string): Promise<void> {
  const { ok, data } = await command('call:initiate', { recipient_id, call_type: 'voice' });
  if (!ok) return;
  await pause(200 + Math.random() * 600);
  await command('call:end', { call_id: data.call._id });
}

/** Ends whatever the user is still in. */
export async function hangUp(command: Command): Promise<void> {
  const { data } = await command('sync', { since: new Date().toISOString() });
  for (const { _id } of data.calls as { _id: string }[]) await command('call:end', { call_id: _id });
}

/** Waits until every call is over. Returns how many calls there were, and how many are still not. */
export async function settledCalls(databaseUrl: string): Promise<{ calls: number; unended: number }> {
  const client = await MongoClient.connect(databaseUrl);
  try {
    const calls = client.db().collection('calls');
    const unended = () => calls.countDocuments({ status: { $in: ['initiated', 'ringing', 'ongoing'] } });
    const until = Date.now() + PATIENCE_MS;
    while ((await unended()) > 0 && Date.now() < until) await pause(250);
    return { calls: await calls.countDocuments(), unended: await unended() };
  } finally {
    await client.close();
  }
}

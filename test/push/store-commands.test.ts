/** What push costs those who do not use it, counted on the wire. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type Device, register, registerMany } from '../support/client.ts';
import { type CountedServer, startCountedServer } from '../support/counted-server.ts';
import { eventually } from '../support/eventually.ts';
import { browser } from './support/rfc8291.ts';

let counted: CountedServer;
let ann: Device;
let bob: Device;
beforeAll(async () => {
  counted = await startCountedServer({ PUSH_ALLOW_PRIVATE: 'on' });
  const accounts = await registerMany(counted.server.url, 2);
  [ann, bob] = (await Promise.all(accounts.map((one) => connect(counted.server.url, one)))) as [Device, Device];
});
afterAll(() => counted?.stop());

const MESSAGES = 8;
/** What belongs to sends and their receipts. */
const OF_MESSAGES = ['insert messages', 'update conversations', 'update memberships', 'update push_acknowledgements'];

/** Messages that are sent, delivered and read, one after the other. @returns the commands by what they are */
async function chat(): Promise<{ counts: Map<string, number>; tookMs: number }> {
  counted.proxy.reset();
  const began = performance.now();
  for (let i = 0; i < MESSAGES; i++) {
    const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: `${i}` });
    await bob.ok('message:read', { recipient_id: ann.id, up_to_seq: message.seq });
  }
  const tookMs = performance.now() - began;
  const counts = new Map<string, number>();
  for (const { name, collection } of counted.proxy.commands()) {
    counts.set(`${name} ${collection}`, (counts.get(`${name} ${collection}`) ?? 0) + 1);
  }
  return { counts, tookMs };
}

it('sends and receipts cost no more with a subscription of others about: who uses push is asked twice a second at most', async () => {
  const expected = new Map([
    ['insert messages', MESSAGES],
    ['update conversations', MESSAGES],
    ['update memberships', MESSAGES],
  ]);
  const ofMessages = (counts: Map<string, number>) =>
    new Map([...counts].filter(([what]) => OF_MESSAGES.includes(what)));
  // What is looked up the first time is remembered; and what the marks leave behind is settled now and then.
  await eventually(async () => {
    const { counts } = await chat();
    expect(ofMessages(counts)).toEqual(expected);
    expect(counts.has('find push_jobs')).toBe(false);
  });

  const other = await connect(counted.server.url, await register(counted.server.url));
  await other.ok('push:subscribe', {
    provider: 'webpush',
    subscription: browser('http://127.0.0.1:9/none').subscription,
  });
  // The node takes part.
  await eventually(async () => expect((await chat()).counts.get('find push_subscriptions')).toBeGreaterThan(0));
  await eventually(async () => {
    const { counts, tookMs } = await chat();
    expect(ofMessages(counts)).toEqual(expected);
    expect(counts.get('find push_subscriptions') ?? 0).toBeLessThanOrEqual(tookMs / 500 + 2);
    expect(counts.has('update push_jobs')).toBe(false);
  });
});

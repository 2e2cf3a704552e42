/** What sessions acknowledge by their commands is noted where their user uses push. */
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Caller } from '../../server/dispatch/caller.ts';
import { pairId } from '../../server/model/conversation-ref.ts';
import type { ReadPlace } from '../../server/push/jobs/job-store.ts';
import { createNoting } from '../../server/push/noting.ts';

const callerOf = (userId = new ObjectId()) =>
  ({ userId, id: userId.toHexString(), sessionId: new ObjectId().toHexString() }) as unknown as Caller;

function start(unread_count: number) {
  const noted: unknown[] = [];
  const knocked: ReadPlace[] = [];
  const noting = createNoting({
    acknowledgements: { note: (key, acknowledged) => void noted.push([key.subject, acknowledged]) },
    jobs: { knockShown: async (read) => void knocked.push(...read) },
    onStored() {},
    log: pino({ level: 'silent' }),
  });
  const answers = async () => ({ unread_count });
  const handlers = noting.noting({
    ...{ 'message:delivered': answers, 'message:read': answers, 'thread:read': answers },
    ...{ 'call:accept': answers, 'call:join': answers },
  } as never);
  return { noting, handlers, noted, knocked };
}

it('of users who use push alone, and of a thread under the message that it hangs on', async () => {
  const { noting, handlers, noted, knocked } = start(0);
  const [user, stranger] = [callerOf(), callerOf()];
  noting.usesPush(user.id);
  const root = new ObjectId();
  const thread = { message_id: root.toHexString(), up_to_seq: 7 };
  for (const caller of [user, stranger]) {
    await handlers['message:delivered'](caller, { recipient_id: stranger.id, up_to_seq: 3 });
    await handlers['message:read'](caller, { recipient_id: stranger.id, up_to_seq: 5 });
    await handlers['thread:read'](caller, thread);
  }
  const conversation = pairId(user.id, stranger.id);
  expect(noted).toEqual([
    [conversation, { delivered_seq: 3, read_seq: 0 }],
    [conversation, { delivered_seq: 5, read_seq: 5 }],
    [thread.message_id, { delivered_seq: 7, read_seq: 7 }],
  ]);
  await expect.poll(() => knocked).toHaveLength(2);
  expect(knocked).toEqual([
    { userId: user.userId, conversationId: conversation },
    { userId: user.userId, rootId: root },
  ]);
  noting.close();
});

it('what is not read to its end has nothing looked at', async () => {
  const { noting, handlers, noted, knocked } = start(1);
  const user = callerOf();
  noting.usesPush(user.id);
  await handlers['thread:read'](user, { message_id: new ObjectId().toHexString(), up_to_seq: 7 });
  expect(noted).toHaveLength(1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(knocked).toEqual([]);
  noting.close();
});

it('many users who acknowledge keep those remembered who do so too', async () => {
  const { noting, handlers, noted } = start(1);
  const busy = callerOf();
  noting.usesPush(busy.id);
  const delivered = () => handlers['message:delivered'](busy, { group_id: new ObjectId().toHexString(), up_to_seq: 1 });
  for (let i = 0; i < 150_000; i++) {
    noting.usesPush(`user ${i}`);
    if (i % 50_000 === 0) await delivered();
  }
  await delivered();
  expect(noted).toHaveLength(4);
  noting.close();
});

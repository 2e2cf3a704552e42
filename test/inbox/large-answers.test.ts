/** Much to tell: answers that are cut and continued, and large ones that are not. */
import { beforeAll, expect, test } from 'vitest';
import type { CommandData } from '../../shared/contract/index.ts';
import { type Account, connect, type Device, register, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const to = (account: Account) => ({ recipient_id: account.id });
type Synced = CommandData<'sync'>;

async function device(): Promise<Device> {
  return connect(server.url, await register(server.url));
}

/** Repeats `sync` as the contract says, going on from the messages' own revs. Resolves with every answer. */
async function syncToEnd(client: Device, payload: { since?: string; limit?: number } = {}): Promise<Synced[]> {
  const conversations: Record<string, number> = {};
  const answers: Synced[] = [];
  for (;;) {
    const answer = await client.ok('sync', { ...payload, conversations });
    answers.push(answer);
    for (const { conversation, messages } of answer.conversations) {
      const last = messages.at(-1);
      if (last) conversations[conversation.conversation_id] = last.rev;
    }
    if (!answer.has_more) return answers;
    expect(answers.length).toBeLessThan(100);
  }
}

test('limit bounds the messages of one answer, and repeating gets each message exactly once', async () => {
  const a = await device();
  const others = await registerMany(server.url, 5);
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => a.ok('message:send', { ...to(others[i % 5]!), content: `m${i}` })),
  );
  await a.ok('group:create', { name: 'Empty', member_ids: [] });
  for (const limit of [1, 7, 40, 41]) {
    const answers = await syncToEnd(a, { limit });
    expect(answers.length).toBeLessThanOrEqual(Math.ceil(40 / limit) + 1);
    const seen: string[] = [];
    for (const { conversations, has_more } of answers) {
      expect(conversations).toHaveLength(6);
      const messages = conversations.flatMap((one) => one.messages);
      expect(messages.length).toBeLessThanOrEqual(limit);
      if (has_more) expect(messages.length).toBe(limit);
      expect(has_more).toBe(conversations.some((one) => one.has_more));
      seen.push(...messages.map((message) => message._id));
    }
    expect(new Set(seen).size).toBe(40);
    expect(seen).toHaveLength(40);
  }
});

test('an answer is cut by its bytes and completed by repeating', async () => {
  const [a, b] = [await device(), await device()];
  const content = 'x'.repeat(16 * 1024);
  await Promise.all(Array.from({ length: 60 }, () => a.ok('message:send', { ...to(b.account), content })));
  const answers = await syncToEnd(b);
  expect(answers.length).toBeGreaterThan(1);
  const seqs = answers.flatMap(({ conversations }) => conversations[0]!.messages.map((message) => message.seq));
  expect(seqs).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
});

test('syncs during a flood of messages skip none: each continues where the last one ended', async () => {
  const [a, b] = [await device(), await device()];
  let done = false;
  const flood = Promise.all(
    Array.from({ length: 200 }, (_, i) => a.ok('message:send', { ...to(b.account), content: `m${i}` })),
  ).finally(() => {
    done = true;
  });
  const got: number[] = [];
  const conversations: Record<string, number> = {};
  let since: string | undefined;
  for (let last = false; !last; ) {
    last = done;
    const answer: Synced = await b.ok('sync', { conversations, limit: 50, ...(since ? { since } : {}) });
    for (const one of answer.conversations) {
      got.push(...one.messages.map((message) => message.seq));
      // A client that has everything is at the conversation's rev.
      conversations[one.conversation.conversation_id] = one.has_more ? one.messages.at(-1)!.rev : one.conversation.rev;
    }
    if (answer.has_more) last = false;
    else since = answer.server_time;
  }
  await flood;
  expect(got).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
});

/** A group whose newest change is one of a message from before `member` joined. */
async function createGroupWithHiddenChange(admin: Device, member: Device): Promise<void> {
  const { group } = await admin.ok('group:create', { name: 'G', member_ids: [] });
  const target = { group_id: group._id };
  const { message } = await admin.ok('message:send', { ...target, content: 'before' });
  await admin.ok('group:add_members', { ...target, user_ids: [member.id] });
  await admin.ok('message:send', { ...target, content: 'after' });
  await admin.ok('message:edit', { message_id: message._id, content: 'hidden' });
}

test('groups whose changes are not visible do not keep visible messages from the client', async () => {
  const [a, b] = [await device(), await device()];
  const visible = await a.ok('message:send', { ...to(b.account), content: 'visible' });
  // More groups than one query of `sync` covers.
  for (let made = 0; made < 120; made += 10) {
    await Promise.all(Array.from({ length: 10 }, () => createGroupWithHiddenChange(a, b)));
  }
  const { conversations } = await b.ok('sync', {});
  // The client has all that it may see of the groups, by the messages' own revs.
  const known = Object.fromEntries(
    conversations
      .filter((one) => one.conversation.kind === 'group')
      .map(({ conversation, messages }) => [conversation.conversation_id, messages.at(-1)?.rev ?? 2]),
  );
  const answer = await b.ok('sync', { conversations: known });
  expect(answer.conversations.flatMap((one) => one.messages)).toEqual([visible.message]);
  expect(answer.has_more).toBe(false);
});

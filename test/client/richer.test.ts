/** Threads, pins, mentions, forwarding, drafts and rights by the client, against a real server. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Client, Target } from '../../shared/client/index.ts';
import { type Account, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { open, openReady, shownBy } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** On a busy machine answers come late. */
const PATIENT = { timeout: 30_000 };

interface Scene {
  ann: Client;
  ben: Client;
  a: Account;
  b: Account;
  toBen: Target;
  toAnn: Target;
}

async function twoClients(): Promise<Scene> {
  const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
  const [ann, ben] = await Promise.all([openReady(server.url, a), openReady(server.url, b)]);
  return { ann, ben, a, b, toBen: { recipient_id: b.id }, toAnn: { recipient_id: a.id } };
}

/** Sends, and waits for the server to have it. @returns the message's id */
async function sent(client: Client, target: Target, draft: Parameters<Client['send']>[1]): Promise<string> {
  const { _id } = client.send(target, draft);
  const found = () =>
    [
      ...client.messages(target).get().messages,
      ...(draft.thread_id ? client.thread(draft.thread_id).get().messages : []),
    ].find(({ client_message_id, seq }) => client_message_id === _id && seq > 0)?._id;
  await expect.poll(found, PATIENT).toBeDefined();
  return found()!;
}

describe('a thread', () => {
  it('shows its replies live, beside the conversation, and what is unread in it', async () => {
    const { ann, ben, a, toBen, toAnn } = await twoClients();
    const root = await sent(ann, toBen, { content: 'root' });
    const seen = ben.thread(root);
    await expect.poll(() => seen.get().root?.content, PATIENT).toBe('root');
    await expect.poll(() => ben.conversations.get()[0]?.unread_count, PATIENT).toBe(1);

    ann.thread(root).get();
    await sent(ann, toBen, { content: 'aside', thread_id: root });
    await sent(ann, toBen, { content: 'for all', thread_id: root, in_conversation: true });
    await expect.poll(() => seen.get().messages.map(({ content }) => content), PATIENT).toEqual(['aside', 'for all']);
    expect(seen.get()).toMatchObject({ unread_count: 2, has_older: false, loading: false });
    expect(shownBy(ben, toAnn)).toEqual(['root', 'for all']);
    expect(ben.conversations.get()[0]).toMatchObject({ unread_count: 2, last_message: { content: 'for all' } });
    const shownRoot = ben.messages(toAnn).get().messages[0]!;
    expect(shownRoot.thread).toMatchObject({ reply_count: 2, user_ids: [a.id] });
    expect(seen.get().root?.thread).toEqual(shownRoot.thread);

    ben.markThreadRead(root);
    expect(seen.get().unread_count).toBe(0);
    const told = () => ben.call('message:thread', { message_id: root });
    await expect.poll(async () => (await told()).unread_count, PATIENT).toBe(0);
    expect(ben.conversations.get()[0]?.unread_count).toBe(2);
    const { messages } = await told();
    await ann.remove(messages[0]!._id);
    await expect.poll(() => ben.messages(toAnn).get().messages[0]?.thread?.reply_count, PATIENT).toBe(1);
    await ben.follow(root);
    expect(seen.get().following).toBe(true);
  });

  it('shows what is written in it at once, and not in the conversation', async () => {
    const { ann, toBen } = await twoClients();
    const root = await sent(ann, toBen, { content: 'root' });
    const seen = ann.thread(root);
    await expect.poll(() => seen.get().root?.content, PATIENT).toBe('root');
    ann.send(toBen, { content: 'at once', thread_id: root });
    expect(seen.get().messages).toMatchObject([{ content: 'at once', state: 'sending', thread_id: root }]);
    expect(ann.messages(toBen).get().messages).toHaveLength(1);
    await expect.poll(() => seen.get().messages[0]?.state, PATIENT).toMatch(/sent|delivered/);
  });

  it('is there too where somebody looked before there was a connection', async () => {
    const { ann, a, toBen } = await twoClients();
    const root = await sent(ann, toBen, { content: 'root' });
    const early = open(server.url, a);
    const seen = early.thread(root);
    let told = 0;
    seen.subscribe(() => told++);
    expect(early.state).toBe('connecting');
    await expect.poll(() => told, PATIENT).toBeGreaterThan(0);
    await expect.poll(() => seen.get().root?.content, PATIENT).toBe('root');
  });

  it('loads older replies page by page', async () => {
    const { ann, ben, toBen } = await twoClients();
    const root = await sent(ann, toBen, { content: 'root' });
    for (let i = 0; i < 55; i++) await ann.call('message:send', { ...toBen, content: `${i}`, thread_id: root });
    const seen = ben.thread(root);
    await expect.poll(() => seen.get().messages.length, PATIENT).toBe(50);
    expect(seen.get()).toMatchObject({ has_older: true, unread_count: 55, root: { thread: { reply_count: 55 } } });
    await ben.loadOlderReplies(root);
    expect(seen.get().messages.map(({ content }) => content)).toEqual(Array.from({ length: 55 }, (_, i) => `${i}`));
    expect(seen.get().has_older).toBe(false);
  });
});

describe('what else can be done with messages', () => {
  it('a mention counts until it is read, in a thread too', async () => {
    const { ann, ben, b, toBen, toAnn } = await twoClients();
    const root = await sent(ann, toBen, { content: '@ben', mentions: { user_ids: [b.id] } });
    ann.thread(root).get();
    await sent(ann, toBen, { content: 'again', thread_id: root, mentions: { user_ids: [b.id] } });
    await expect.poll(() => ben.conversations.get()[0]?.mention_count, PATIENT).toBe(2);
    await ann.edit(root, { content: 'nobody', mentions: {} });
    await expect.poll(() => ben.conversations.get()[0]?.mention_count, PATIENT).toBe(1);
    ben.markRead(toAnn);
    expect(ben.conversations.get()[0]?.mention_count).toBe(0);
  });

  it('pins show at once and on the other side; a message is forwarded with what it says, and saved', async () => {
    const { ann, ben, a, toBen, toAnn } = await twoClients();
    const id = await sent(ann, toBen, { content: 'words' });
    const pinning = ann.pin(id);
    expect(ann.messages(toBen).get().messages[0]?.pinned).toMatchObject({ by: a.id });
    expect((await pinning).pinned).toMatchObject({ by: a.id });
    await expect.poll(() => ben.messages(toAnn).get().messages[0]?.pinned?.by, PATIENT).toBe(a.id);
    expect((await ann.pin(id, false)).pinned).toBeUndefined();

    const { group } = await ann.call('group:create', { name: 'G', member_ids: [] });
    const toGroup = { group_id: group._id };
    expect(ann.forward(toGroup, id)).toMatchObject({ content: 'words', state: 'sending' });
    await expect.poll(() => ann.messages(toGroup).get().messages[0]?.seq, PATIENT).toBe(1);
    expect(ann.messages(toGroup).get().messages).toMatchObject([{ content: 'words', forwarded: { count: 1 } }]);
    expect(await ben.save(id)).toEqual({ saved: true });
    expect((await ben.call('message:saved')).messages).toMatchObject([{ content: 'words' }]);
  });

  it('a draft reaches the other device, and goes when it is empty', async () => {
    const { ann, a, toBen } = await twoClients();
    const other = await openReady(server.url, a);
    await sent(ann, toBen, { content: 'first' });
    ann.setDraft(toBen, 'I was about');
    ann.setDraft(toBen, 'I was about to');
    await expect.poll(() => other.conversations.get()[0]?.draft?.content, PATIENT).toBe('I was about to');
    ann.setDraft(toBen, '');
    await expect.poll(() => other.conversations.get()[0]?.draft, PATIENT).toBeUndefined();
  });
});

it('rights are those of the group: permissions, and slow mode after the own last message', async () => {
  const { ann, ben, b } = await twoClients();
  const { group } = await ann.call('group:create', { name: 'G', member_ids: [b.id], slow_mode_s: 3600 });
  const target = { group_id: group._id };
  const rights = ben.rights(target);
  await expect.poll(() => ben.conversations.get().length, PATIENT).toBe(1);
  expect(rights.get()).toMatchObject({ send: true, react: true, pin: false, add_members: false, is_admin: false });
  expect(rights.get().next_send_at).toBeUndefined();
  await sent(ben, target, { content: 'one' });
  const { created_at } = ben.messages(target).get().messages[0]!;
  expect(Date.parse(rights.get().next_send_at!) - Date.parse(created_at)).toBe(3_600_000);
  await ann.call('group:update', { ...target, permissions: { send: 'admin' } });
  await expect.poll(() => rights.get().send, PATIENT).toBe(false);
  expect(ann.rights(target).get()).toMatchObject({ send: true, is_admin: true });
});

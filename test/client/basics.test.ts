/** The basic flow of the client against a real server. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../shared/client/client.ts';
import { connect } from '../../shared/client/index.ts';
import { type Account, connect as device, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
const clients: Client[] = [];
beforeAll(async () => {
  server = await sharedServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

function open(account: Account, options = {}): Client {
  const client = connect({ url: server.url, getToken: () => account.access_token, ...options });
  clients.push(client);
  return client;
}
const ready = (client: Client) => expect.poll(() => client.state).toBe('ready');
const pair = async () => (await registerMany(server.url, 2)) as [Account, Account];

describe('a client', () => {
  it('sends, receives, acknowledges and reads', async () => {
    const [a, b] = await pair();
    const [ann, ben] = [open(a), open(b)];
    await Promise.all([ready(ann), ready(ben)]);
    const told: string[] = [];
    ben.on('message:new', ({ message, missed }) => told.push(`${message.content} ${missed ?? 'live'}`));
    const toBen = { recipient_id: b.id };
    const toAnn = { recipient_id: a.id };
    const shown = ann.messages(toBen);
    const pending = ann.send(toBen, { content: 'hello' });
    expect(pending).toMatchObject({ state: 'sending', content: 'hello', sender_id: a.id });
    expect(shown.get().messages).toEqual([pending]);
    await expect.poll(() => shown.get().messages.map(({ state }) => state)).toEqual(['delivered']);
    expect(shown.get().messages[0]).toMatchObject({ client_message_id: pending._id, seq: 1 });
    await expect.poll(() => ben.conversations.get().map(({ unread_count }) => unread_count)).toEqual([1]);
    expect(told).toEqual(['hello live']);
    ben.markRead(toAnn);
    expect(ben.conversations.get()[0]!.unread_count).toBe(0);
    await expect.poll(() => shown.get().messages.map(({ state }) => state)).toEqual(['read']);
    await expect.poll(() => ann.conversations.get()[0]?.peer?._id).toBe(b.id);
  });

  it('shows typing, presence, contacts and changes of messages', async () => {
    const [a, b] = await pair();
    const [ann, ben] = [open(a), open(b)];
    await Promise.all([ready(ann), ready(ben)]);
    const toBen = { recipient_id: b.id };
    const toAnn = { recipient_id: a.id };
    await ann.call('contact:request', { user_id: b.id });
    await expect.poll(() => ben.contacts.get().map(({ status }) => status)).toEqual(['pending']);
    await ben.call('contact:accept', { user_id: a.id });
    await expect.poll(() => ann.contacts.get().map(({ status }) => status)).toEqual(['accepted']);
    await expect.poll(() => ann.presence(b.id).get()?.status).toBe('online');
    ann.send(toBen, { content: 'one' });
    await expect.poll(() => ben.messages(toAnn).get().messages.length).toBe(1);
    ann.setTyping(toBen, true);
    await expect.poll(() => ben.typing(toAnn).get()).toEqual([a.id]);
    const { _id } = ben.messages(toAnn).get().messages[0]!;
    const reacting = ben.react(_id, '👍');
    expect(ben.messages(toAnn).get().messages[0]!.reactions).toEqual([{ emoji: '👍', user_ids: [b.id] }]);
    await reacting;
    await expect.poll(() => ann.messages(toBen).get().messages[0]!.reactions).toHaveLength(1);
    await expect(ben.edit(_id, { content: 'mine' })).rejects.toMatchObject({ code: 'forbidden' });
    expect(ben.messages(toAnn).get().messages[0]!.content).toBe('one');
    await ann.edit(_id, { content: 'two' });
    await expect.poll(() => ben.messages(toAnn).get().messages[0]!.content).toBe('two');
    await ann.remove(_id);
    await expect.poll(() => ben.messages(toAnn).get().messages[0]!.is_deleted).toBe(true);
    expect(ben.conversations.get()[0]!.unread_count).toBe(0);
  });

  it('uploads a file and sends it', async () => {
    const [a, b] = await pair();
    const [ann, ben] = [open(a), open(b)];
    await Promise.all([ready(ann), ready(ben)]);
    const attachment = await ann.upload(new File(['some text'], 'a.txt', { type: 'text/plain' }));
    expect(attachment).toEqual({ media_id: expect.any(String), message_type: 'document' });
    ann.send({ recipient_id: b.id }, { content: '', attachment });
    const shown = ben.messages({ recipient_id: a.id });
    await expect.poll(() => shown.get().messages[0]).toMatchObject({ message_type: 'document' });
  });

  it('starts with what is there, and tells nothing of it', async () => {
    const [a, b] = await pair();
    const other = await device(server.url, b);
    for (let i = 1; i <= 120; i++) await other.ok('message:send', { recipient_id: a.id, content: `${i}` });
    const ann = open(a);
    const told: unknown[] = [];
    ann.on('message:new', (event) => told.push(event));
    await ready(ann);
    const shown = ann.messages({ recipient_id: b.id });
    expect(shown.get()).toMatchObject({ has_older: true, loading: false });
    expect(shown.get().messages.map(({ content }) => content)).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i + 71}`),
    );
    for (let i = 0; i < 2; i++) await ann.loadOlder({ recipient_id: b.id });
    expect(shown.get()).toMatchObject({ has_older: false });
    expect(shown.get().messages).toHaveLength(120);
    expect(told).toEqual([]);
    other.close();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, http, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Device;
let bob: Device;
let eve: Device;

beforeAll(async () => {
  server = await sharedServer();
  const accounts = await registerMany(server.url, 3);
  [ann, bob, eve] = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [
    Device,
    Device,
    Device,
  ];
});
afterAll(() => {
  for (const device of [ann, bob, eve]) device?.close();
});

const forward = (device: Device, to: Device, forward_of: string, more: object = {}) =>
  device.ok('message:send', { recipient_id: to.id, forward_of, ...more });
const code = async (refusal: Promise<{ code: string }>) => (await refusal).code;

async function upload(device: Device): Promise<string> {
  const form = new FormData();
  form.append('file', new Blob(['some bytes']), 'a.txt');
  const answer = await fetch(`${server.url}/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${device.account.access_token}` },
    body: form,
  });
  return ((await answer.json()) as { file: { _id: string } }).file._id;
}

const mayRead = async (device: Device, id: string) =>
  (await http(server.url, 'GET', `/files/${id}/info`, { token: device.account.access_token })).status === 200;

describe('forward_of', () => {
  it('sends what the named message says, counts, and tells nothing of where it came from', async () => {
    const { message } = await ann.ok('message:send', {
      recipient_id: bob.id,
      content: 'the news',
      metadata: { b: 1, a: null },
      client_message_id: 'original',
    });
    const { message: first } = await forward(bob, eve, message._id, { client_message_id: 'f1' });
    const { _id, conversation_id, seq, rev, created_at, updated_at } = first;
    expect(first).toEqual({
      ...{ _id, conversation_id, seq, rev, created_at, updated_at },
      sender_id: bob.id,
      recipient_id: eve.id,
      content: 'the news',
      message_type: 'text',
      attachment: null,
      metadata: { b: 1, a: null },
      client_message_id: 'f1',
      forwarded: { count: 1 },
      is_deleted: false,
      status: 'sent',
    });
    expect((await eve.next('message:new', (news) => news.message._id === _id)).message).toEqual(first);
    const { message: second } = await forward(eve, ann, first._id);
    expect(second.forwarded).toEqual({ count: 2 });
    const { messages } = await ann.ok('message:search', { query: 'news', recipient_id: eve.id });
    expect(messages.map((one) => one._id)).toEqual([second._id]);
  });

  it('is idempotent by client_message_id, also once the source is deleted', async () => {
    const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: 'x' });
    const { message: first } = await forward(bob, eve, message._id, { client_message_id: 'again' });
    await ann.ok('message:delete', { message_id: message._id });
    const repeat = await forward(bob, eve, message._id, { client_message_id: 'again' });
    expect(repeat).toEqual({ message: first, duplicate: true });
    const payload = { recipient_id: eve.id, forward_of: message._id };
    expect(await code(bob.refused('message:send', payload))).toBe('not_found');
  });

  it('says what the source said then, and is edited and deleted by itself', async () => {
    const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: 'one' });
    const { message: forwarded } = await forward(bob, eve, message._id);
    await ann.ok('message:edit', { message_id: message._id, content: 'two' });
    const { message: edited } = await bob.ok('message:edit', { message_id: forwarded._id, content: 'three' });
    expect(edited).toMatchObject({ content: 'three', forwarded: { count: 1 } });
    const { message: tombstone } = await bob.ok('message:delete', { message_id: forwarded._id });
    expect(tombstone).not.toHaveProperty('forwarded');
  });

  it('is not found where the sender cannot see the message', async () => {
    const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: 'x' });
    for (const forward_of of [message._id, 'f'.repeat(24)]) {
      expect(await code(eve.refused('message:send', { recipient_id: bob.id, forward_of }))).toBe('not_found');
    }
  });

  it.each([
    ['content', 'x'],
    ['message_type', 'text'],
    ['attachment', null],
    ['reply_to', 'f'.repeat(24)],
    ['metadata', {}],
  ])('takes no %s beside it', async (name, value) => {
    const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: 'x' });
    const payload = { recipient_id: eve.id, forward_of: message._id, [name]: value };
    const { code: refusal, details } = await bob.refused('message:send', payload);
    expect(refusal).toBe('validation_failed');
    expect(details).toMatchObject([{ path: name }]);
  });

  it('is not needed, but then a content is', async () => {
    const { code: refusal, details } = await ann.refused('message:send', { recipient_id: bob.id });
    expect(refusal).toBe('validation_failed');
    expect(details).toMatchObject([{ path: 'content' }]);
  });

  it('opens the attachment to those who may read the new message, as long as it is there', async () => {
    const media_id = await upload(ann);
    const { message } = await ann.ok('message:send', {
      recipient_id: bob.id,
      content: '',
      message_type: 'document',
      attachment: { media_id },
    });
    expect(await mayRead(eve, media_id)).toBe(false);
    const { message: forwarded } = await forward(bob, eve, message._id);
    expect(forwarded.attachment).toEqual({ media_id });
    expect(await mayRead(eve, media_id)).toBe(true);
    await ann.ok('message:delete', { message_id: message._id });
    expect(await mayRead(bob, media_id)).toBe(true);
    expect(await mayRead(eve, media_id)).toBe(true);
    await bob.ok('message:delete', { message_id: forwarded._id });
    expect(await mayRead(bob, media_id)).toBe(false);
    expect(await mayRead(eve, media_id)).toBe(false);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Account;
let bob: Account;
let eve: Account;
let annPhone: Device;
let annLaptop: Device;
let bobPhone: Device;
let evePhone: Device;

beforeAll(async () => {
  server = await sharedServer();
  [ann, bob, eve] = await Promise.all([register(server.url), register(server.url), register(server.url)]);
  [annPhone, annLaptop, bobPhone, evePhone] = await Promise.all([
    connect(server.url, ann),
    connect(server.url, ann),
    connect(server.url, bob),
    connect(server.url, eve),
  ]);
});

afterAll(async () => {
  for (const device of [annPhone, annLaptop, bobPhone, evePhone]) device?.close();
});

describe('message:send', () => {
  it('acknowledges with the stored message', async () => {
    const { message, duplicate } = await annPhone.ok('message:send', { recipient_id: bob.id, content: 'hello' });
    expect(duplicate).toBeUndefined();
    expect(message).toMatchObject({
      sender_id: ann.id,
      recipient_id: bob.id,
      content: 'hello',
      message_type: 'text',
      attachment: null,
      status: 'sent',
      is_deleted: false,
    });
    expect(message.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(message).not.toHaveProperty('terms');
    expect(message).not.toHaveProperty('reactions');
  });

  it('reaches every other device of both users, and nobody else', async () => {
    const content = 'to all devices';
    const { message } = await annPhone.ok('message:send', { recipient_id: bob.id, content });
    const isIt = (event: { message: { _id: string } }) => event.message._id === message._id;
    expect((await bobPhone.next('message:new', isIt)).message).toEqual(message);
    expect((await annLaptop.next('message:new', isIt)).message).toEqual(message);
    await settle(annPhone, evePhone);
    expect(annPhone.seen('message:new', isIt)).toEqual([]);
    expect(evePhone.seen('message:new')).toEqual([]);
  });

  it('numbers seq and rev from 1, the same for both users', async () => {
    const [one, two] = await Promise.all([register(server.url), register(server.url)]);
    const [oneDevice, twoDevice] = await Promise.all([connect(server.url, one), connect(server.url, two)]);
    const first = (await oneDevice.ok('message:send', { recipient_id: two.id, content: '1' })).message;
    const second = (await twoDevice.ok('message:send', { recipient_id: one.id, content: '2' })).message;
    expect([first.seq, first.rev, second.seq, second.rev]).toEqual([1, 1, 2, 2]);
    expect(second.conversation_id).toBe(first.conversation_id);
    const mine = await oneDevice.ok('message:history', { recipient_id: two.id });
    const theirs = await twoDevice.ok('message:history', { recipient_id: one.id });
    expect(mine).toEqual({ messages: [first, second], has_more: false });
    expect(theirs).toEqual(mine);
    oneDevice.close();
    twoDevice.close();
  });

  it('stores texts unchanged', async () => {
    for (const content of [' ', '\n', '  spaces  ', 'é😀́\u202e', '<b>&amp;</b>', '{"$gt":""}', '__proto__']) {
      const { message } = await annPhone.ok('message:send', { recipient_id: bob.id, content });
      const { messages } = await bobPhone.ok('message:history', { recipient_id: ann.id, limit: 1 });
      expect([message.content, messages[0]?.content]).toEqual([content, content]);
    }
  });

  it('takes 16 KiB of UTF-8 and refuses a byte more', async () => {
    const { message } = await annPhone.ok('message:send', { recipient_id: bob.id, content: 'é'.repeat(8192) });
    expect(Buffer.byteLength(message.content)).toBe(16_384);
    for (const content of ['x'.repeat(16_385), `${'é'.repeat(8192)}x`]) {
      const error = await annPhone.refused('message:send', { recipient_id: bob.id, content });
      expect(error).toMatchObject({ code: 'validation_failed', details: [{ path: 'content' }] });
    }
  });

  it.each([
    ['no target', { content: 'x' }],
    ['two targets', { content: 'x', recipient_id: 'f'.repeat(24), group_id: 'f'.repeat(24) }],
    ['a malformed id', { content: 'x', recipient_id: 'nobody' }],
    ['an upper-case id', { content: 'x', recipient_id: 'F'.repeat(24) }],
    ['an operator for an id', { content: 'x', recipient_id: { $gt: '' } }],
    ['an operator for a text', { content: { $gt: '' }, recipient_id: 'f'.repeat(24) }],
    ['no content', { recipient_id: 'f'.repeat(24) }],
    ['an empty text', { recipient_id: 'f'.repeat(24), content: '' }],
    ['a number as content', { recipient_id: 'f'.repeat(24), content: 5 }],
    ['an unknown property', { recipient_id: 'f'.repeat(24), content: 'x', status: 'read' }],
    ['an unknown type', { recipient_id: 'f'.repeat(24), content: 'x', message_type: 'sticker' }],
    ['an image without an attachment', { recipient_id: 'f'.repeat(24), content: 'x', message_type: 'image' }],
    [
      'a text with an attachment',
      { recipient_id: 'f'.repeat(24), content: 'x', attachment: { media_id: 'f'.repeat(24) } },
    ],
    ['a long client_message_id', { recipient_id: 'f'.repeat(24), content: 'x', client_message_id: 'x'.repeat(65) }],
    ['a NUL', { recipient_id: 'f'.repeat(24), content: 'a\0b' }],
    ['a lone surrogate', { recipient_id: 'f'.repeat(24), content: 'a\ud800b' }],
  ])('refuses %s', async (_what, payload) => {
    expect((await annPhone.refused('message:send', payload)).code).toBe('validation_failed');
  });

  it('refuses oneself, unknown users, and groups that the sender is not in', async () => {
    expect((await annPhone.refused('message:send', { recipient_id: ann.id, content: 'x' })).code).toBe(
      'validation_failed',
    );
    expect((await annPhone.refused('message:send', { recipient_id: 'f'.repeat(24), content: 'x' })).code).toBe(
      'not_found',
    );
    expect((await annPhone.refused('message:send', { group_id: 'f'.repeat(24), content: 'x' })).code).toBe('not_found');
  });

  it('refuses an unknown upload', async () => {
    const payload = {
      recipient_id: bob.id,
      content: '',
      message_type: 'image',
      attachment: { media_id: 'f'.repeat(24) },
    };
    expect((await annPhone.refused('message:send', payload)).code).toBe('not_found');
  });

  it('works without an acknowledgement callback', async () => {
    annPhone.socket.emit('message:send', { recipient_id: bob.id, content: 'no callback' });
    const { message } = await bobPhone.next('message:new', (event) => event.message.content === 'no callback');
    expect(message.sender_id).toBe(ann.id);
  });

  it('refuses a deactivated recipient, whose history stays readable', async () => {
    const gone = await register(server.url);
    await annPhone.ok('message:send', { recipient_id: gone.id, content: 'before', client_message_id: 'before' });
    const left = await http(server.url, 'DELETE', '/users/me', {
      token: gone.access_token,
      body: { password: gone.password },
    });
    expect(left.status).toBe(204);
    expect((await annPhone.refused('message:send', { recipient_id: gone.id, content: 'after' })).code).toBe(
      'not_found',
    );
    const { messages } = await annPhone.ok('message:history', { recipient_id: gone.id });
    expect(messages.map((message) => message.content)).toEqual(['before']);
    const repeat = await annPhone.ok('message:send', {
      recipient_id: gone.id,
      content: 'before',
      client_message_id: 'before',
    });
    expect(repeat.duplicate).toBe(true);
  });
});

describe('reply_to', () => {
  it('refers to a message of the same conversation', async () => {
    const { message } = await annPhone.ok('message:send', { recipient_id: bob.id, content: 'question' });
    const answer = await bobPhone.ok('message:send', {
      recipient_id: ann.id,
      content: 'answer',
      reply_to: message._id,
    });
    expect(answer.message.reply_to).toBe(message._id);
  });

  it('does not find a message of another conversation, or none', async () => {
    const { message } = await annPhone.ok('message:send', { recipient_id: eve.id, content: 'elsewhere' });
    for (const reply_to of [message._id, 'f'.repeat(24)]) {
      const error = await annPhone.refused('message:send', { recipient_id: bob.id, content: 'x', reply_to });
      expect(error.code).toBe('not_found');
    }
  });
});

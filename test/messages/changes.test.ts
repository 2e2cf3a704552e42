import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, register, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Account;
let bob: Account;
let annPhone: Device;
let annLaptop: Device;
let bobPhone: Device;
let evePhone: Device;
let message: Message;

beforeAll(async () => {
  server = await sharedServer();
  const eve = await register(server.url);
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
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

beforeEach(async () => {
  ({ message } = await annPhone.ok('message:send', { recipient_id: bob.id, content: 'first' }));
  await bobPhone.next('message:new', (event) => event.message._id === message._id);
  await annLaptop.next('message:new', (event) => event.message._id === message._id);
});

/** Each device gets the message as it was acknowledged. */
async function expectTold(changed: Message, ...devices: Device[]): Promise<void> {
  for (const device of devices) {
    const told = await device.next('message:updated', (event) => event.message.rev === changed.rev);
    expect(told.message).toEqual(changed);
  }
}

async function expectNobodyTold(act: () => Promise<unknown>): Promise<void> {
  await settle(annPhone, annLaptop, bobPhone);
  for (const device of [annPhone, annLaptop, bobPhone]) device.clear();
  await act();
  await settle(annPhone, annLaptop, bobPhone);
  for (const device of [annPhone, annLaptop, bobPhone]) expect(device.seen('message:updated')).toEqual([]);
}

const updated = (device: Device) => device.seen('message:updated', (event) => event.message._id === message._id);

describe('message:edit', () => {
  it('replaces the text under the next rev and tells the other devices', async () => {
    const { message: edited } = await annPhone.ok('message:edit', { message_id: message._id, content: 'second' });
    expect(edited).toMatchObject({ _id: message._id, seq: message.seq, rev: message.rev + 1, content: 'second' });
    expect(edited.edited_at).toBe(edited.updated_at);
    expect(edited.created_at).toBe(message.created_at);
    await expectTold(edited, bobPhone, annLaptop);
    await settle(annPhone, evePhone);
    expect(updated(annPhone)).toEqual([]);
    expect(evePhone.seen('message:updated')).toEqual([]);
  });

  it('changes nothing and takes no rev when the content is the same', async () => {
    await expectNobodyTold(async () => {
      const same = await annPhone.ok('message:edit', { message_id: message._id, content: 'first' });
      expect(same.message).toEqual(message);
    });
    const next = await annPhone.ok('message:send', { recipient_id: bob.id, content: 'next' });
    expect(next.message.rev).toBe(message.rev + 1);
  });

  it('is allowed to the sender only', async () => {
    const payload = { message_id: message._id, content: 'mine now' };
    expect((await bobPhone.refused('message:edit', payload)).code).toBe('forbidden');
    expect((await evePhone.refused('message:edit', payload)).code).toBe('not_found');
    expect((await annPhone.refused('message:edit', { ...payload, message_id: 'f'.repeat(24) })).code).toBe('not_found');
  });

  it('refuses what no message may contain', async () => {
    for (const content of ['', 'x'.repeat(16_385), 'a\0', '\udc00', { $set: 1 }]) {
      const error = await annPhone.refused('message:edit', { message_id: message._id, content });
      expect(error.code).toBe('validation_failed');
    }
  });

  it('conflicts on a deleted message', async () => {
    await annPhone.ok('message:delete', { message_id: message._id });
    const error = await annPhone.refused('message:edit', { message_id: message._id, content: 'back' });
    expect(error.code).toBe('conflict');
  });
});

describe('message:delete', () => {
  it('leaves a tombstone without content, attachment or reactions', async () => {
    await bobPhone.ok('message:react', { message_id: message._id, emoji: '👍' });
    const { message: deleted } = await annPhone.ok('message:delete', { message_id: message._id });
    expect(deleted).toMatchObject({ is_deleted: true, content: '', attachment: null, rev: message.rev + 2 });
    expect(deleted).not.toHaveProperty('reactions');
    await expectTold(deleted, bobPhone, annLaptop);
    const { messages } = await bobPhone.ok('message:history', { recipient_id: ann.id, limit: 1 });
    expect(messages).toEqual([deleted]);
  });

  it('succeeds again and changes nothing', async () => {
    const first = await annPhone.ok('message:delete', { message_id: message._id });
    await expectNobodyTold(async () => {
      expect(await annPhone.ok('message:delete', { message_id: message._id })).toEqual(first);
    });
  });

  it('is allowed to the sender only, in a pair', async () => {
    expect((await bobPhone.refused('message:delete', { message_id: message._id })).code).toBe('forbidden');
    expect((await evePhone.refused('message:delete', { message_id: message._id })).code).toBe('not_found');
  });
});

describe('message:react', () => {
  it('adds and removes the caller’s own reaction', async () => {
    const react = (device: Device, emoji: string, remove?: boolean) =>
      device.ok('message:react', { message_id: message._id, emoji, ...(remove === undefined ? {} : { remove }) });
    await react(bobPhone, '👍');
    await react(annPhone, '👍');
    const { message: three } = await react(annPhone, '🎉');
    expect(three.reactions).toEqual([
      { emoji: '👍', user_ids: [bob.id, ann.id] },
      { emoji: '🎉', user_ids: [ann.id] },
    ]);
    await expectTold(three, bobPhone, annLaptop);
    await react(annPhone, '👍', true);
    await react(annPhone, '🎉', true);
    const { message: none } = await react(bobPhone, '👍', true);
    expect(none.reactions ?? []).toEqual([]);
    expect(none.rev).toBe(message.rev + 6);
    expect(none.updated_at >= message.updated_at).toBe(true);
  });

  it('changes nothing when the reaction is there already, or is not there to be removed', async () => {
    const first = await bobPhone.ok('message:react', { message_id: message._id, emoji: '👍' });
    await expectNobodyTold(async () => {
      expect(await bobPhone.ok('message:react', { message_id: message._id, emoji: '👍' })).toEqual(first);
      expect(await bobPhone.ok('message:react', { message_id: message._id, emoji: '🎉', remove: true })).toEqual(first);
    });
  });

  it('conflicts on a deleted message, and does not find one that the caller cannot see', async () => {
    expect((await evePhone.refused('message:react', { message_id: message._id, emoji: '👍' })).code).toBe('not_found');
    await annPhone.ok('message:delete', { message_id: message._id });
    expect((await bobPhone.refused('message:react', { message_id: message._id, emoji: '👍' })).code).toBe('conflict');
  });

  it('takes an emoji of up to 32 bytes', async () => {
    const family = '👨‍👩‍👧‍👦';
    await bobPhone.ok('message:react', { message_id: message._id, emoji: family });
    for (const emoji of ['', 'x'.repeat(33), '😀'.repeat(9)]) {
      const error = await bobPhone.refused('message:react', { message_id: message._id, emoji });
      expect(error.code).toBe('validation_failed');
    }
  });

  it('loses none of many concurrent reactions', async () => {
    const emojis = Array.from({ length: 20 }, (_, i) => String.fromCodePoint(0x1f600 + i));
    const answers = await Promise.all(
      emojis.flatMap((emoji) => [
        annPhone.ok('message:react', { message_id: message._id, emoji }),
        bobPhone.ok('message:react', { message_id: message._id, emoji }),
      ]),
    );
    const revs = answers.map((answer) => answer.message.rev).sort((a, b) => a - b);
    expect(revs).toEqual(revs.map((_, i) => message.rev + 1 + i));
    const { messages } = await annPhone.ok('message:history', { recipient_id: bob.id, limit: 1 });
    const reactions = messages[0]?.reactions ?? [];
    expect(reactions.map((reaction) => reaction.emoji).sort()).toEqual([...emojis].sort());
    for (const reaction of reactions) expect([...reaction.user_ids].sort()).toEqual([ann.id, bob.id].sort());
  });
});

describe('concurrent changes of one message', () => {
  it('end in one state, which every device has seen', async () => {
    const answers = await Promise.all([
      annPhone.raw('message:edit', { message_id: message._id, content: 'a' }),
      annLaptop.raw('message:edit', { message_id: message._id, content: 'b' }),
      annPhone.raw('message:delete', { message_id: message._id }),
      bobPhone.raw('message:react', { message_id: message._id, emoji: '👍' }),
      annLaptop.raw('message:delete', { message_id: message._id }),
    ]);
    for (const answer of answers) expect(answer.ok || answer.error?.code === 'conflict').toBe(true);
    const { messages } = await annPhone.ok('message:history', { recipient_id: bob.id, limit: 1 });
    expect(messages[0]).toMatchObject({ _id: message._id, is_deleted: true, content: '' });
    expect(messages[0]).not.toHaveProperty('reactions');
    const last = messages[0]!;
    const told = await bobPhone.next('message:updated', (event) => event.message.rev === last.rev);
    expect(told.message).toEqual(last);
    const revs = updated(bobPhone).map((event) => event.message.rev);
    expect(revs).toEqual([...revs].sort((a, b) => a - b));
  });
});

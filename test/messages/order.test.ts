import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, register, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

async function pair(): Promise<{ ann: Account; bob: Account; annPhone: Device; bobPhone: Device }> {
  const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  const [annPhone, bobPhone] = await Promise.all([connect(server.url, ann), connect(server.url, bob)]);
  return { ann, bob, annPhone, bobPhone };
}

describe('conversation order', () => {
  it('is the order in which a device sent, even without waiting for acknowledgements', async () => {
    const { ann, bob, annPhone, bobPhone } = await pair();
    const sends = Array.from({ length: 100 }, (_, i) =>
      annPhone.ok('message:send', { recipient_id: bob.id, content: `${i + 1}` }),
    );
    const seqs = (await Promise.all(sends)).map((answer) => answer.message.seq);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    await bobPhone.next('message:new', (event) => event.message.seq === 100);
    expect(bobPhone.seen('message:new').map((event) => event.message.content)).toEqual(seqs.map(String));
    const { messages } = await bobPhone.ok('message:history', { recipient_id: ann.id, limit: 200 });
    expect(messages.map((message) => message.content)).toEqual(seqs.map(String));
  });

  it('is the same for everyone, without gaps, when many devices write at once', async () => {
    const { ann, bob, annPhone, bobPhone } = await pair();
    const annOthers = await Promise.all([connect(server.url, ann), connect(server.url, ann)]);
    const bobOthers = await Promise.all([connect(server.url, bob), connect(server.url, bob)]);
    const watcher = await connect(server.url, bob);
    const writers = [
      ...[annPhone, ...annOthers].map((device) => ({ device, to: bob.id })),
      ...[bobPhone, ...bobOthers].map((device) => ({ device, to: ann.id })),
    ];
    const each = 30;
    const sent = await Promise.all(
      writers.map(({ device, to }, writer) =>
        Promise.all(
          Array.from({ length: each }, (_, i) =>
            device.ok('message:send', { recipient_id: to, content: `${writer}.${i}` }),
          ),
        ),
      ),
    );
    for (const answers of sent) {
      const seqs = answers.map((answer) => answer.message.seq);
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    }
    const total = writers.length * each;
    const all = sent.flat().map((answer) => answer.message);
    expect(all.map((message) => message.seq).sort((a, b) => a - b)).toEqual(
      Array.from({ length: total }, (_, i) => i + 1),
    );
    await watcher.next('message:new', (event) => event.message.seq === total);
    expect(watcher.seen('message:new').map((event) => event.message.rev)).toEqual(
      Array.from({ length: total }, (_, i) => i + 1),
    );
    for (const device of [...writers.map((writer) => writer.device), watcher]) device.close();
  });

  it('agrees with creation times and with search results, however long each send took to prepare', async () => {
    const { ann, bob, annPhone, bobPhone } = await pair();
    const { message } = await annPhone.ok('message:send', { recipient_id: bob.id, content: 'first' });
    const others = await Promise.all([connect(server.url, ann), connect(server.url, ann)]);
    await Promise.all(
      Array.from({ length: 90 }, (_, i) =>
        [annPhone, ...others][i % 3]!.ok('message:send', {
          recipient_id: bob.id,
          content: `word ${i}`,
          ...(i % 4 === 0 ? { reply_to: message._id } : {}),
        }),
      ),
    );
    const { messages } = await bobPhone.ok('message:history', { recipient_id: ann.id, limit: 200 });
    const times = messages.map(({ created_at }) => created_at);
    expect(times).toEqual([...times].sort());
    const found = await bobPhone.ok('message:search', { query: 'word', limit: 200 });
    expect(found.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 90 }, (_, i) => 91 - i));
  });

  it('includes edits, reactions and deletions', async () => {
    const { bob, annPhone, bobPhone } = await pair();
    const { message } = await annPhone.ok('message:send', { recipient_id: bob.id, content: '0' });
    const id = { message_id: message._id };
    const revs = await Promise.all([
      annPhone.ok('message:edit', { ...id, content: '1' }),
      annPhone.ok('message:send', { recipient_id: bob.id, content: 'between' }),
      annPhone.ok('message:react', { ...id, emoji: '👍' }),
      annPhone.ok('message:edit', { ...id, content: '2' }),
      annPhone.ok('message:delete', id),
    ]);
    expect(revs.map((answer) => answer.message.rev)).toEqual([2, 3, 4, 5, 6]);
    await bobPhone.next('message:updated', (event) => event.message.rev === 6);
    const told = bobPhone.events.filter((event) => event.name.startsWith('message:'));
    expect(told.map((event) => [event.name, event.payload.message.rev])).toEqual([
      ['message:new', 1],
      ['message:updated', 2],
      ['message:new', 3],
      ['message:updated', 4],
      ['message:updated', 5],
      ['message:updated', 6],
    ]);
  });
});

describe('client_message_id', () => {
  it('answers a repeat with the first message and tells nobody', async () => {
    const { bob, annPhone, bobPhone } = await pair();
    const payload = { recipient_id: bob.id, content: 'once', client_message_id: 'c-1' };
    const first = await annPhone.ok('message:send', payload);
    expect(first).not.toHaveProperty('duplicate');
    const repeat = await annPhone.ok('message:send', { ...payload, content: 'other words' });
    expect(repeat).toEqual({ message: first.message, duplicate: true });
    await settle(bobPhone);
    expect(bobPhone.seen('message:new')).toHaveLength(1);
  });

  it('stores one message when 20 repeats arrive at once from two devices', async () => {
    const { ann, bob, annPhone, bobPhone } = await pair();
    const laptop = await connect(server.url, ann);
    const payload = { recipient_id: bob.id, content: 'once', client_message_id: 'c-2' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? annPhone : laptop).ok('message:send', payload)),
    );
    expect(new Set(answers.map((answer) => answer.message._id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1);
    await settle(annPhone, laptop, bobPhone);
    expect(bobPhone.seen('message:new')).toHaveLength(1);
    const { messages } = await bobPhone.ok('message:history', { recipient_id: ann.id });
    expect(messages).toHaveLength(1);
    laptop.close();
  });

  it('counts per sender and conversation', async () => {
    const { ann, bob, annPhone, bobPhone } = await pair();
    const carol = await register(server.url);
    const sends = await Promise.all([
      annPhone.ok('message:send', { recipient_id: bob.id, content: 'x', client_message_id: 'same' }),
      bobPhone.ok('message:send', { recipient_id: ann.id, content: 'x', client_message_id: 'same' }),
      annPhone.ok('message:send', { recipient_id: carol.id, content: 'x', client_message_id: 'same' }),
    ]);
    expect(sends.map((answer) => answer.duplicate)).toEqual([undefined, undefined, undefined]);
    expect(new Set(sends.map((answer) => answer.message._id)).size).toBe(3);
  });

  it('gives repeats within a batch no position of their own', async () => {
    const { bob, annPhone, bobPhone } = await pair();
    await annPhone.ok('message:send', { recipient_id: bob.id, content: '1', client_message_id: 'r1' });
    const answers = await Promise.all(
      ['2', '1', '3', '1', '4'].map((text) =>
        annPhone.ok('message:send', { recipient_id: bob.id, content: text, client_message_id: `r${text}` }),
      ),
    );
    expect(answers.map((answer) => [answer.message.seq, answer.duplicate])).toEqual([
      [2, undefined],
      [1, true],
      [3, undefined],
      [1, true],
      [4, undefined],
    ]);
    await settle(bobPhone);
    expect(bobPhone.seen('message:new').map((event) => event.message.content)).toEqual(['1', '2', '3', '4']);
  });

  it('answers a repeat with the message as it is now', async () => {
    const { bob, annPhone } = await pair();
    const payload = { recipient_id: bob.id, content: 'soon gone', client_message_id: 'c-3' };
    const { message } = await annPhone.ok('message:send', payload);
    await annPhone.ok('message:delete', { message_id: message._id });
    const repeat = await annPhone.ok('message:send', payload);
    expect(repeat).toMatchObject({ duplicate: true, message: { _id: message._id, is_deleted: true, content: '' } });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, register } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

const COUNT = 260;

let server: TestServer;
let ann: Account;
let bob: Account;
let annPhone: Device;
let bobPhone: Device;

beforeAll(async () => {
  server = await sharedServer();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  [annPhone, bobPhone] = await Promise.all([connect(server.url, ann), connect(server.url, bob)]);
  const sends = Array.from({ length: COUNT }, (_, i) =>
    annPhone.ok('message:send', { recipient_id: bob.id, content: `${i + 1}` }),
  );
  await Promise.all(sends);
});

afterAll(async () => {
  annPhone?.close();
  bobPhone?.close();
});

const page = async (bounds: { before_seq?: number; after_seq?: number; limit?: number }) => {
  const { messages, has_more } = await bobPhone.ok('message:history', { recipient_id: ann.id, ...bounds });
  for (const message of messages) expect(message.content).toBe(`${message.seq}`);
  return { seqs: messages.map((message) => message.seq), has_more };
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('message:history', () => {
  it('returns the newest 50 messages, ascending, without bounds', async () => {
    expect(await page({})).toEqual({ seqs: range(COUNT - 49, COUNT), has_more: true });
  });

  it('returns the page below before_seq', async () => {
    expect(await page({ before_seq: 101, limit: 10 })).toEqual({ seqs: range(91, 100), has_more: true });
    expect(await page({ before_seq: 11, limit: 10 })).toEqual({ seqs: range(1, 10), has_more: false });
    expect(await page({ before_seq: 1 })).toEqual({ seqs: [], has_more: false });
    expect(await page({ before_seq: 0 })).toEqual({ seqs: [], has_more: false });
  });

  it('returns the page above after_seq', async () => {
    expect(await page({ after_seq: 100, limit: 10 })).toEqual({ seqs: range(101, 110), has_more: true });
    expect(await page({ after_seq: COUNT - 5 })).toEqual({ seqs: range(COUNT - 4, COUNT), has_more: false });
    expect(await page({ after_seq: COUNT })).toEqual({ seqs: [], has_more: false });
    expect(await page({ after_seq: COUNT + 1000 })).toEqual({ seqs: [], has_more: false });
  });

  it('returns everything exactly once when paged through, from either end', async () => {
    const down: number[] = [];
    for (let before_seq = COUNT + 1, more = true; more; ) {
      const { seqs, has_more } = await page({ before_seq, limit: 97 });
      down.unshift(...seqs);
      before_seq = seqs[0]!;
      more = has_more;
    }
    expect(down).toEqual(range(1, COUNT));
    const up: number[] = [];
    for (let after_seq = 0, more = true; more; ) {
      const { seqs, has_more } = await page({ after_seq, limit: 65 });
      up.push(...seqs);
      after_seq = seqs.at(-1)!;
      more = has_more;
    }
    expect(up).toEqual(range(1, COUNT));
  });

  it('takes limits from 1 to 200 and refuses others instead of clamping them', async () => {
    expect((await page({ limit: 200 })).seqs).toHaveLength(200);
    expect((await page({ limit: 1 })).seqs).toEqual([COUNT]);
    for (const limit of [0, -1, 201, 1.5, '10', null]) {
      const error = await bobPhone.refused('message:history', { recipient_id: ann.id, limit });
      expect(error).toMatchObject({ code: 'validation_failed', details: [{ path: 'limit' }] });
    }
  });

  it.each([
    ['both bounds', { before_seq: 10, after_seq: 1 }],
    ['a negative bound', { before_seq: -1 }],
    ['a fraction', { after_seq: 1.5 }],
    ['a bound beyond the safe integers', { after_seq: 2 ** 53 }],
    ['a text', { after_seq: '1' }],
  ])('refuses %s', async (_what, bounds) => {
    const error = await bobPhone.refused('message:history', { recipient_id: ann.id, ...bounds });
    expect(error.code).toBe('validation_failed');
  });

  it('is empty where nothing was ever written', async () => {
    const eve = await register(server.url);
    expect(await annPhone.ok('message:history', { recipient_id: eve.id })).toEqual({ messages: [], has_more: false });
  });

  it('hides the conversation of two others', async () => {
    const evePhone = await connect(server.url, await register(server.url));
    const { messages } = await evePhone.ok('message:history', { recipient_id: ann.id });
    expect(messages).toEqual([]);
    expect((await evePhone.refused('message:history', { recipient_id: 'f'.repeat(24) })).code).toBe('not_found');
    evePhone.close();
  });
});

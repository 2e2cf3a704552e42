/** An answer with whole messages ends at 512 KiB, whatever was asked for, and says that there are more. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, register } from '../support/client.ts';
import { sharedServer } from '../support/server.ts';

const MAX_BYTES = 512 * 1024;
/** Together four times that. */
const COUNT = 130;
const LENGTH = 16_000;

let ann: Account;
let bobPhone: Device;

beforeAll(async () => {
  const { url } = await sharedServer();
  const bob = await register(url);
  ann = await register(url);
  const annPhone = await connect(url, ann);
  bobPhone = await connect(url, bob);
  const { group } = await annPhone.ok('group:create', { name: 'Crew', member_ids: [bob.id] });
  for (let i = 0; i < COUNT; i++) {
    // Some are short: what there is room for is not a number of messages.
    const content = `word${i} `.padEnd(i % 3 === 0 ? 10 : LENGTH, 'x');
    await annPhone.ok('message:send', { recipient_id: bob.id, content });
    // Sometimes more often in one kind of conversation, sometimes in the other.
    if (i % 40 < 20) {
      for (let n = 0; n < 3; n++) await annPhone.ok('message:send', { group_id: group._id, content });
    }
  }
  annPhone.close();
});

const all = Array.from({ length: COUNT }, (_, i) => i + 1);

async function page(command: 'message:history' | 'message:search', payload: object) {
  const { messages, has_more } = await bobPhone.ok(command, payload as never);
  expect(Buffer.byteLength(JSON.stringify(messages))).toBeLessThanOrEqual(MAX_BYTES);
  // Nearly as many as there is room for.
  if (has_more) expect(Buffer.byteLength(JSON.stringify(messages))).toBeGreaterThan(MAX_BYTES - 2 * LENGTH);
  return { messages, has_more };
}

describe('of long texts', () => {
  it.each(['before_seq', 'after_seq'] as const)('history by %s is whole when paged through', async (bound) => {
    const seqs: number[] = [];
    const target = { recipient_id: ann.id, limit: 200 };
    let from = bound === 'before_seq' ? COUNT + 1 : 0;
    for (let more = true; more; ) {
      const { messages, has_more } = await page('message:history', { ...target, [bound]: from });
      const found = messages.map(({ seq }) => seq);
      if (bound === 'before_seq') seqs.unshift(...found);
      else seqs.push(...found);
      from = (bound === 'before_seq' ? found[0] : found.at(-1))!;
      more = has_more;
    }
    expect(seqs).toEqual(all);
  });

  it('a search over conversations of both kinds is whole when paged through', async () => {
    const ids: string[] = [];
    let latest = Number.POSITIVE_INFINITY;
    let before: { before_id?: string } = {};
    for (let more = true; more; ) {
      const { messages, has_more } = await page('message:search', { query: 'word', limit: 200, ...before });
      for (const { _id, created_at } of messages) {
        ids.push(_id);
        expect(Date.parse(created_at)).toBeLessThanOrEqual(latest);
        latest = Date.parse(created_at);
      }
      before = { before_id: messages.at(-1)!._id };
      more = has_more;
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(COUNT + 3 * 70);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, registerMany } from '../support/client.ts';
import { sharedServer, startServerForTest } from '../support/server.ts';

let accounts: Account[];
let ann: Device;
let annLaptop: Device;
let bob: Device;
let eve: Device;

beforeAll(async () => {
  const { url } = await sharedServer();
  accounts = await registerMany(url, 3);
  [ann, bob, eve] = (await Promise.all(accounts.map((account) => connect(url, account)))) as [Device, Device, Device];
  annLaptop = await connect(url, accounts[0]!);
});
afterAll(() => {
  for (const device of [ann, annLaptop, bob, eve]) device?.close();
});

const send = (content: string, more: object = {}) => ann.ok('message:send', { recipient_id: bob.id, content, ...more });
const edit = (message_id: string, content: string, more: object = {}) =>
  ann.ok('message:edit', { message_id, content, ...more });
const revisionsOf = async (device: Device, message_id: string) =>
  (await device.ok('message:revisions', { message_id })).revisions;

describe('message:revisions', () => {
  it('tells what a message said before and when that was said, oldest first, to both sides', async () => {
    const { message } = await send('one', { metadata: { a: 1 } });
    const { message: second } = await edit(message._id, 'two');
    const { message: third } = await edit(message._id, 'two', { metadata: {} });
    await edit(message._id, 'three');
    const expected = [
      { content: 'one', metadata: { a: 1 }, at: message.created_at },
      { content: 'two', metadata: { a: 1 }, at: second.edited_at },
      { content: 'two', at: third.edited_at },
    ];
    expect(await revisionsOf(bob, message._id)).toEqual(expected);
    expect(await revisionsOf(ann, message._id)).toEqual(expected);
  });

  it('is empty for what was never edited, an edit that changed nothing, and reactions', async () => {
    const { message } = await send('one');
    await edit(message._id, 'one');
    await bob.ok('message:react', { message_id: message._id, emoji: '👍' });
    expect(await revisionsOf(bob, message._id)).toEqual([]);
  });

  it('keeps the last 50', async () => {
    const { message } = await send('text 0');
    for (let i = 1; i <= 53; i++) await edit(message._id, `text ${i}`);
    const texts = (await revisionsOf(bob, message._id)).map(({ content }) => content);
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `text ${i + 3}`));
  });

  it('has each text once, in their order, however many edits come at once', async () => {
    const { message } = await send('0');
    const edits = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? ann : annLaptop).ok('message:edit', { message_id: message._id, content: `${i + 1}` }),
    );
    const answers = await Promise.all(edits);
    const inOrder = answers.map((answer) => answer.message).sort((one, other) => one.rev - other.rev);
    const texts = (await revisionsOf(bob, message._id)).map(({ content }) => content);
    expect(texts).toEqual(['0', ...inOrder.map(({ content }) => content)].slice(0, -1));
  });

  it('is empty once the message is deleted, and not found by others', async () => {
    const { message } = await send('one');
    await edit(message._id, 'two');
    expect((await eve.refused('message:revisions', { message_id: message._id })).code).toBe('not_found');
    await ann.ok('message:delete', { message_id: message._id });
    expect(await revisionsOf(bob, message._id)).toEqual([]);
    expect((await ann.refused('message:revisions', { message_id: 'f'.repeat(24) })).code).toBe('not_found');
    expect((await ann.refused('message:revisions', { message_id: 'x' })).code).toBe('validation_failed');
  });

  it('shows a later member of a group nothing of what lies before', async () => {
    const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [bob.id] });
    const { message } = await ann.ok('message:send', { group_id: group._id, content: 'one' });
    await edit(message._id, 'two');
    await ann.ok('group:add_members', { group_id: group._id, user_ids: [eve.id] });
    expect((await eve.refused('message:revisions', { message_id: message._id })).code).toBe('not_found');
    expect(await revisionsOf(bob, message._id)).toHaveLength(1);
  });

  it('keeps nothing with REVISIONS=off', async () => {
    const { url } = await startServerForTest({ env: { REVISIONS: 'off' } });
    const [a, b] = (await Promise.all((await registerMany(url, 2)).map((account) => connect(url, account)))) as [
      Device,
      Device,
    ];
    const { message } = await a.ok('message:send', { recipient_id: b.id, content: 'one' });
    await a.ok('message:edit', { message_id: message._id, content: 'two' });
    expect(await revisionsOf(b, message._id)).toEqual([]);
  });
});

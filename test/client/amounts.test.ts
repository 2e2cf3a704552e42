/** How much a client keeps, and how much it asks for. */
import { Socket } from 'socket.io-client';
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { memory } from '../../shared/client/storage/memory.ts';
import { type Device, connect as device, register } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { open, openReady, ready } from './scene.ts';

/** So many conversations a client starts with: of the guide's figures with `LONG=1`. */
const CONVERSATIONS = process.env.LONG ? 500 : 40;
const IN_EACH = 3;
/** What a `sync` lists at most. */
const PAGE = 100;

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

async function inTurns(count: number, atOnce: number, act: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - i) }, (_, j) => act(i + j)));
  }
}

it('keeps 500 messages of a conversation that nobody looks at, and stores 200', async () => {
  const [a, b] = await Promise.all([register(server.url), register(server.url)]);
  const storage = memory();
  const ann = await openReady(server.url, a, { storage });
  const ben = await device(server.url, b);
  const written = 530;
  await inTurns(written, 50, (i) => ben.ok('message:send', { recipient_id: a.id, content: `${i}` }));
  await expect.poll(() => ann.conversations.get()[0]?.last_seq).toBe(written);
  const shown = ann.messages({ recipient_id: b.id });
  expect(shown.get().messages).toHaveLength(500);
  expect(shown.get().messages.at(-1)?.seq).toBe(written);
  expect(shown.get().has_older).toBe(true);
  expect(ann.conversations.get()[0]?.unread_count).toBe(written);

  const stop = shown.subscribe(() => {});
  await ann.loadOlder({ recipient_id: b.id });
  expect(shown.get().messages.map(({ seq }) => seq)).toEqual(Array.from({ length: written }, (_, i) => i + 1));
  stop();
  expect(shown.get().messages).toHaveLength(500);

  await ann.close();
  const [key] = (await storage.keys('')).filter((one) => one.includes('/conversation/'));
  const stored = (await storage.get(key!)) ?? '';
  expect(JSON.parse(stored.slice(stored.indexOf(' '))).messages).toHaveLength(200);
  ben.close();
});

/** Groups of two, with a few messages in each. */
async function manyConversations(member: string, by: Device): Promise<string[]> {
  const ids: string[] = [];
  await inTurns(CONVERSATIONS, 4, async (i) => {
    const { group } = await by.ok('group:create', { name: `Group ${i}`, member_ids: [member] });
    ids.push(group._id);
    for (let j = 0; j < IN_EACH; j++) await by.ok('message:send', { group_id: group._id, content: `${j}` });
  });
  return ids;
}

it(`starts with ${CONVERSATIONS} conversations by a few commands, and later asks for what is new alone`, async () => {
  const [a, b] = await Promise.all([register(server.url), register(server.url)]);
  const ben = await device(server.url, b);
  const groups = await manyConversations(a.id, ben);
  const proxy = await startProxy(Number(new URL(server.url).port));
  onTestFinished(() => proxy.close());
  const sent = vi.spyOn(Socket.prototype, 'emit');
  onTestFinished(() => sent.mockRestore());
  const url = `http://127.0.0.1:${proxy.port}`;
  const storage = memory();

  /** Starts a client. @returns which commands it took until it was ready, and the bytes both ways */
  async function start() {
    const before = proxy.passed();
    sent.mockClear();
    const client = open(url, a, { storage });
    await ready(client);
    const commands = sent.mock.calls.map(([name]) => String(name)).filter((name) => /^(sync|\w+:\w+)$/.test(name));
    const { up, down } = proxy.passed();
    return { client, commands, up: up - before.up, down: down - before.down };
  }

  const cold = await start();
  expect(cold.client.conversations.get()).toHaveLength(CONVERSATIONS);
  const others = cold.commands.filter((name) => name !== 'sync');
  expect(cold.commands.length - others.length).toBe(Math.ceil(CONVERSATIONS / PAGE));
  // What was delivered is told once for each conversation, and not again by later starts.
  expect(others.filter((name) => name !== 'message:delivered')).toEqual([]);
  const delivered = () => ben.seen('message:status', ({ user_id }) => user_id === a.id);
  await expect.poll(() => new Set(delivered().map((status) => status.conversation_id)).size).toBe(CONVERSATIONS);
  // The answers have come, too: what has none is told again.
  await cold.client.call('group:list', {});
  await cold.client.close();

  // That it was delivered changed each of them once more.
  const second = await start();
  expect(new Set(second.commands)).toEqual(new Set(['sync']));
  expect(second.down).toBeLessThan(cold.down);
  await second.client.close();

  const warm = await start();
  expect(warm.client.conversations.get()).toHaveLength(CONVERSATIONS);
  expect(warm.commands).toEqual(['sync']);
  await warm.client.close();

  const { message } = await ben.ok('message:send', { group_id: groups[0]!, content: 'new' });
  const later = await start();
  expect(later.client.conversations.get()[0]?.last_message?._id).toBe(message._id);
  expect(later.commands.filter((name) => name === 'sync')).toHaveLength(1);
  for (const { down } of [warm, later]) expect(down).toBeLessThan(cold.down / 10);
  if (process.env.LONG) {
    const figures = ({ commands, up, down }: typeof cold) =>
      `${commands.length} commands, ${up} bytes up, ${down} down`;
    console.log({ cold: figures(cold), second: figures(second), warm: figures(warm), later: figures(later) });
  }
  ben.close();
}, 240_000);

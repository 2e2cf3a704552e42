/** Many commands at once in one conversation, more than a slow database carries out in the time of a command. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type Device, registerMany } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { startProxy, type Way } from '../support/proxy.ts';
import { startServer, type TestServer } from '../support/server.ts';

const COUNT = 120;

let database: EmbeddedDatabase;
let way: Way;
let server: TestServer;
let a: Device;
let b: Device;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  way = await startProxy(Number(new URL(database.url).port));
  server = await startServer({ env: { MONGODB_URL: `mongodb://127.0.0.1:${way.port}/letsapp` } });
  const [one, other] = await registerMany(server.url, 2);
  a = await connect(server.url, one!);
  b = await connect(server.url, other!);
});
afterAll(async () => {
  await server?.stop();
  await way?.close();
  await database?.stop();
});

it.each([
  ['near', 0],
  ['far', 60],
])(
  'edits, deletions and sends to a %s database: none is answered unavailable that was carried out',
  async (name, ms) => {
    const recipient_id = b.id;
    const olds = [];
    for (let i = 0; i < COUNT; i++) {
      olds.push((await a.ok('message:send', { recipient_id, content: `${name} old ${i}` })).message);
    }
    way.pass(ms);
    const commands = olds.map(({ _id: message_id }, i): [string, Record<string, unknown>] => {
      if (i % 3 === 0) return ['message:edit', { message_id, content: `${name} new ${i}` }];
      if (i % 3 === 1) return ['message:delete', { message_id }];
      return ['message:send', { recipient_id, content: `${name} sent ${i}` }];
    });
    const answers = await Promise.all(commands.map(([command, payload]) => a.raw(command, payload)));
    way.pass();
    // A command behind all of them.
    await a.ok('message:send', { recipient_id, content: 'the end' });
    const stored = new Map((await history(a, recipient_id)).map((message) => [message._id, message]));
    const contents = new Set([...stored.values()].map(({ content }) => content));
    for (const [i, { ok, error }] of answers.entries()) {
      if (!ok) expect(error!.code).toBe('unavailable');
      const old = stored.get(olds[i]!._id)!;
      const isCarriedOut = [old.content === `${name} new ${i}`, old.is_deleted, contents.has(`${name} sent ${i}`)][
        i % 3
      ];
      expect([i, isCarriedOut]).toEqual([i, ok]);
    }
    expect(answers.filter(({ ok }) => ok).length).toBeGreaterThan(0);
  },
);

/** All messages of a pair. */
async function history(device: Device, recipient_id: string) {
  const all = [];
  for (let after_seq = 0, more = true; more; ) {
    const page = await device.ok('message:history', { recipient_id, after_seq, limit: 100 });
    all.push(...page.messages);
    after_seq = Math.max(...page.messages.map(({ seq }) => seq));
    more = page.has_more;
  }
  return all;
}

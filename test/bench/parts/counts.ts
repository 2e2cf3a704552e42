/** How many commands reach the store for each thing that clients do, one at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import type { CountedCommand, CountingProxy } from '../../support/counting-proxy.ts';
import { shapeOf, tally } from '../command-shape.ts';
import { connectDevice, disconnect } from '../devices.ts';
import { type Measurement, median } from '../measurement.ts';
import type { Part, Table } from '../part.ts';
import { startProxied } from '../proxied-app.ts';
import type { LetsApp } from '../sides.ts';
import { number } from '../written.ts';

const REPETITIONS = 20;
/** What the server does by itself shows in this time. */
const QUIET_MS = 6000;
/** What follows an acknowledgement at once. */
const TAIL_MS = 60;
/** What follows in batches. */
const AFTERWARDS_MS = 11_000;
/** User 0 has conversations with the next users and with them in groups: 20 in all. */
const DIRECT = 15;
const GROUPS = 5;

const row = (what: string, atMost?: number) => ({
  what: `store commands: ${what}`,
  unit: '',
  ...(atMost === undefined ? {} : { target: { of: 'measured' as const, atMost } }),
});

export const counts: Part = {
  about: `Commands on the wire between server and store, ${REPETITIONS} times each; what the server does by itself is left out`,
  rows: {
    send: row('a send', 2),
    delivered: row('its delivered', 2),
    read: row('its read', 2),
    read_again: row('the same read again'),
    edit: row('an edit', 3),
    reaction: row('a reaction', 3),
    group_send: row('a send to a group', 2),
    group_delivered: row('its delivered, in a group', 2),
    group_read: row('its read, in a group', 2),
    typing_first: row('typing, the first time'),
    typing_again: row('typing again', 0),
    list: row('conversation:list with 20 conversations', 8),
    sync: row('sync with 20 conversations', 9),
  },
  async run(bench) {
    const { app, proxy } = await startProxied(bench);
    await app.populate(DIRECT + 1);
    const [one, other] = [await connectDevice(app, 0), await connectDevice(app, 1)];
    const own = await shapesAtRest(proxy);
    const group_id = await fill(app, one);
    const counted: Record<string, CountedCommand[][]> = Object.fromEntries(
      Object.keys(counts.rows).map((id) => [id, []]),
    );
    const count = async (id: string, action: () => Promise<unknown>) => {
      proxy.reset();
      await action();
      await sleep(TAIL_MS);
      counted[id]!.push(proxy.commands().filter((command) => !own.has(shapeOf(command))));
    };
    for (let i = 0; i < REPETITIONS; i++) await eachOnce({ app, one, other, group_id }, count, i);
    proxy.reset();
    await sleep(AFTERWARDS_MS);
    const afterwards = proxy
      .commands()
      .map(shapeOf)
      .filter((shape) => !own.has(shape));
    disconnect([one, other]);
    return {
      measurements: Object.fromEntries(Object.entries(counted).map(([id, times]) => [id, measured(times)])),
      tables: [tableOf(counted)],
      notes: [
        `By itself the server asks: ${[...own].join('; ') || 'nothing'}.`,
        `In the ${AFTERWARDS_MS / 1000} s after all of this followed ${afterwards.length} commands: ${tally(afterwards).join('; ') || 'none'}.`,
      ],
    };
  },
};

interface Scene {
  app: LetsApp;
  one: Socket;
  other: Socket;
  group_id: string;
}

type Count = (id: string, action: () => Promise<unknown>) => Promise<void>;

async function eachOnce({ app, one, other, group_id }: Scene, count: Count, i: number): Promise<void> {
  const [to, from] = [{ recipient_id: app.id(1) }, { recipient_id: app.id(0) }];
  let message = { _id: '', seq: 0 };
  const write = async (target: object) => {
    message = (await ok(one, 'message:send', { ...target, content: `number ${i}` })).message as typeof message;
  };
  await count('send', () => write(to));
  const mark = { ...from, up_to_seq: message.seq };
  await count('delivered', () => ok(other, 'message:delivered', mark));
  await count('read', () => ok(other, 'message:read', mark));
  await count('read_again', () => ok(other, 'message:read', mark));
  await count('edit', () => ok(one, 'message:edit', { message_id: message._id, content: `edited ${i}` }));
  await count('reaction', () => ok(other, 'message:react', { message_id: message._id, emoji: '👍' }));
  await count('group_send', () => write({ group_id }));
  const groupMark = { group_id, up_to_seq: message.seq };
  await count('group_delivered', () => ok(other, 'message:delivered', groupMark));
  await count('group_read', () => ok(other, 'message:read', groupMark));
  await count('typing_first', () => ok(one, 'typing:start', to));
  await count('typing_again', () => ok(one, 'typing:start', to));
  await ok(one, 'typing:stop', to);
  await count('list', () => ok(one, 'conversation:list', {}));
  await count('sync', () => ok(one, 'sync', {}));
}

/** @returns the data of a command that must succeed */
async function ok(socket: Socket, name: string, payload: object): Promise<Record<string, unknown>> {
  const answer = await socket.emitWithAck(name, payload);
  if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** What the server asks the store while nothing happens. */
async function shapesAtRest(proxy: CountingProxy): Promise<Set<string>> {
  await sleep(500);
  proxy.reset();
  await sleep(QUIET_MS);
  return new Set(proxy.commands().map(shapeOf));
}

/** Gives user 0 its conversations. @returns one of the groups */
async function fill(app: LetsApp, one: Socket): Promise<string> {
  const others = Array.from({ length: DIRECT }, (_, i) => app.id(i + 1));
  for (const recipient_id of others) await ok(one, 'message:send', { recipient_id, content: 'the first' });
  let last = '';
  for (let i = 0; i < GROUPS; i++) {
    const { group } = await ok(one, 'group:create', { name: `bench ${i}`, member_ids: others });
    last = (group as { _id: string })._id;
    await ok(one, 'message:send', { group_id: last, content: 'the first' });
  }
  return last;
}

function bytesOf(commands: CountedCommand[]): number {
  return commands.reduce((sum, { requestBytes, replyBytes }) => sum + requestBytes + replyBytes, 0);
}

const measured = (times: CountedCommand[][]): Measurement => ({
  measured: median(times.map((commands) => commands.length)),
  bytes: { wire: median(times.map(bytesOf)) },
});

/** What the commands of each action are, by the repetition with the fewest. */
function tableOf(counted: Record<string, CountedCommand[][]>): Table {
  const rows = Object.entries(counted).map(([id, times]) => {
    const sorted = [...times].sort((a, b) => a.length - b.length);
    const [least, most] = [sorted[0]!, sorted.at(-1)!];
    const lengths = [least.length, median(times.map(({ length }) => length)), most.length];
    return [id, lengths.join(' / '), number(median(times.map(bytesOf))), tally(least.map(shapeOf)).join('; ')];
  });
  return { title: 'What they are', header: ['action', 'least / median / most', 'bytes', 'commands'], rows };
}

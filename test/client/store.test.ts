/**
 * The store against the server's own `sync`: whatever is lost, doubled or out of order on the way, after the next `sync` a
 * store holds what one gets that begins from nothing.
 */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { EventName } from '../../shared/client/contract.ts';
import type { Change } from '../../shared/client/store/changes.ts';
import { reduce } from '../../shared/client/store/reduce.ts';
import { EMPTY, type State } from '../../shared/client/store/state.ts';
import { type Account, connect, type Device, registerMany, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

const RUNS = process.env.LONG ? 100 : 6;
let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const operation = fc.record({
  do: fc.constantFrom(
    'send',
    'send',
    'reply',
    'reply',
    'mention',
    'edit',
    'delete',
    'react',
    'read',
    'delivered',
    'pin',
  ),
  byMe: fc.boolean(),
  inGroup: fc.boolean(),
  pick: fc.nat({ max: 1000 }),
});
/** What happens to an event on its way: how often it arrives, and by how many places it is late. */
const fate = fc.record({ times: fc.constantFrom(0, 1, 1, 1, 2), late: fc.constantFrom(0, 0, 0, 1, 5) });

interface World {
  devices: [me: Device, peer: Device];
  accounts: [Account, Account];
  groupId: string;
  sent: string[];
}

async function createWorld(): Promise<World> {
  const accounts = (await registerMany(server.url, 2)) as [Account, Account];
  const devices = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as [Device, Device];
  const { group } = await devices[1].ok('group:create', { name: 'G', member_ids: [accounts[0].id] });
  return { devices, accounts, groupId: group._id, sent: [] };
}

async function carryOut(
  { devices, accounts, groupId, sent }: World,
  { do: what, byMe, inGroup, pick }: { do: string; byMe: boolean; inGroup: boolean; pick: number },
): Promise<void> {
  const device = devices[byMe ? 0 : 1];
  const target = inGroup ? { group_id: groupId } : { recipient_id: accounts[byMe ? 1 : 0].id };
  const message_id = sent[pick % Math.max(1, sent.length)];
  if (what === 'send' || what === 'reply' || what === 'mention') {
    const thread =
      what === 'reply' && message_id ? { thread_id: message_id, ...(pick % 3 ? {} : { in_conversation: true }) } : {};
    const mentions = what === 'mention' ? { mentions: { user_ids: [accounts[byMe ? 1 : 0].id] } } : {};
    const { data } = await device.raw('message:send', { ...target, content: `text ${pick}`, ...thread, ...mentions });
    // Refused: a thread hangs on a message of the same conversation, that is no reply and not deleted.
    if (data) sent.push((data as { message: { _id: string } }).message._id);
  } else if (what === 'read' || what === 'delivered') {
    const { data } = await device.raw('message:history', { ...target, limit: 1 });
    const last = (data as { messages: { seq: number }[] } | undefined)?.messages[0]?.seq;
    if (last) await device.raw(`message:${what}`, { ...target, up_to_seq: 1 + (pick % last) });
  } else if (what === 'pin') await device.raw('conversation:update', { ...target, pinned: pick % 2 === 0 });
  else if (message_id) {
    const payload = what === 'edit' ? { content: `edit ${pick}` } : what === 'react' ? { emoji: '👍' } : {};
    await device.raw(`message:${what}`, { message_id, ...payload });
  }
}

/** Everything from the last complete `sync` on, as a client asks. */
async function synced(device: Device, from: State, limit: number): Promise<State> {
  let state = from;
  let cursor: string | undefined;
  do {
    const known = [...state.conversations].filter(([, { rev }]) => rev > 0);
    const named = Object.fromEntries(known.map(([id, { rev }]) => [id, rev]));
    const { since } = from;
    const page = await device.ok('sync', {
      conversations: named,
      limit,
      ...(since === undefined ? {} : { since }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    state = reduce(state, { page, named, newest: undefined, isFirst: cursor === undefined });
    cursor = page.cursor;
  } while (cursor !== undefined);
  return state;
}

/** What has to be the same. Statuses of messages are derived from the receipts. */
function comparable({ conversations }: State) {
  return Object.fromEntries(
    [...conversations].map(([id, { messages, conversation }]) => {
      const { last_message, ...others } = conversation!;
      const plain = (message: object) => ({ ...message, status: undefined, read_by: undefined });
      const receipts = [...others.receipts].sort((one, other) => (one.user_id < other.user_id ? -1 : 1));
      return [
        id,
        { messages: messages.map(plain), ...others, receipts, last_message: last_message && plain(last_message) },
      ];
    }),
  );
}

it(`holds what the server has, whatever happens on the way (${RUNS} runs)`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 5, maxLength: 40 }),
      fc.array(fate, { minLength: 80, maxLength: 80 }),
      fc.nat({ max: 10 }),
      fc.constantFrom(3, 500),
      async (operations, fates, before, limit) => {
        const world = await createWorld();
        const [me, peer] = world.devices;
        try {
          for (const each of operations.slice(0, before)) await carryOut(world, each);
          let state: State = reduce(EMPTY, { event: 'session:ready', payload: me.seen('session:ready')[0]! });
          state = await synced(me, state, limit);
          await settle(me, peer);
          me.clear();
          for (const each of operations.slice(before)) await carryOut(world, each);
          await settle(me, peer);
          const arriving = me.events.flatMap((event, i) => {
            const { times, late } = fates[i % fates.length]!;
            return Array.from({ length: times }, (_, again) => ({ event, at: i + late * (again + 1) }));
          });
          arriving.sort((one, other) => one.at - other.at);
          for (const { event } of arriving) {
            state = reduce(state, { event: event.name as EventName, payload: event.payload } as Change);
          }
          // Whoever hears the same twice has not changed.
          for (const { event } of arriving.slice(-1)) {
            const again = reduce(state, { event: event.name as EventName, payload: event.payload } as Change);
            expect(again).toEqual(state);
          }
          state = await synced(me, state, limit);
          const fresh = await synced(me, { ...EMPTY, me: state.me }, 500);
          expect(comparable(state)).toEqual(comparable(fresh));
        } finally {
          for (const device of world.devices) device.close();
        }
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 300_000);

/** The states that a process leaves which dies between two writes, written through the driver; and real crashes. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { ContactDocument } from '../../server/model/documents/contacts.ts';
import { type Account, connect, type Device, registerMany } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

let database: TestDatabase;
let servers: ServerProcess[];
let env: Record<string, string>;
let client: MongoClient;
let stored: Collections;

beforeAll(async () => {
  database = await startDatabase();
  env = { MONGODB_URL: database.url, JWT_SECRET: 'a'.repeat(32) };
  servers = await Promise.all([0, 1].map(() => startServerProcess({ env })));
  client = await MongoClient.connect(database.url);
  stored = collections(client.db());
});
afterAll(async () => {
  await client.close();
  await Promise.all(servers.map((server) => server.stop()));
  await database.stop();
});

const LONG_AGO = new Date(Date.now() - 60_000);
/** Ahead of the clock, so that a slow machine does not make a crash of it. */
const JUST_NOW = new Date(Date.now() + 60_000);

function half(owner: Account, other: Account, state: Partial<ContactDocument>, at = LONG_AGO): ContactDocument {
  const pair = [owner.id, other.id].toSorted().join('-');
  const [user_id, contact_id] = [new ObjectId(owner.id), new ObjectId(other.id)];
  return {
    _id: new ObjectId(),
    user_id,
    contact_id,
    pair,
    status: 'pending',
    created_at: at,
    updated_at: at,
    ...state,
  };
}

async function two(): Promise<{ accounts: [Account, Account]; ann: Device; bob: Device }> {
  const accounts = (await registerMany(servers[0]!.url, 2)) as [Account, Account];
  const [ann, bob] = await Promise.all(accounts.map((account, i) => connect(servers[i]!.url, account)));
  return { accounts, ann: ann!, bob: bob! };
}

const states = async (device: Device) =>
  (await device.ok('contact:list', {})).contacts.map(({ status, direction }) => direction ?? status);

const OUT: Partial<ContactDocument> = { direction: 'out' };
const IN: Partial<ContactDocument> = { direction: 'in' };
const ACCEPTED: Partial<ContactDocument> = { status: 'accepted' };
const BLOCKED: Partial<ContactDocument> = { status: 'blocked' };

describe('after a crash between two writes', () => {
  for (const [what, anns, bobs, becomes] of [
    ['an undelivered request', OUT, undefined, [['out'], ['in']]],
    ['half a withdrawal or rejection', undefined, IN, [[], []]],
    ['half an acceptance', ACCEPTED, IN, [['accepted'], ['accepted']]],
    ['a pair of crossing requests', OUT, OUT, [['accepted'], ['accepted']]],
    ['half a removal', ACCEPTED, undefined, [[], []]],
    ['half a block', BLOCKED, OUT, [['blocked'], []]],
  ] as const) {
    it(`${what} is completed or undone by whoever lists first`, async () => {
      for (const first of [0, 1]) {
        const { accounts, ann, bob } = await two();
        if (anns) await stored.contacts.insertOne(half(accounts[0], accounts[1], anns));
        if (bobs) await stored.contacts.insertOne(half(accounts[1], accounts[0], bobs));
        const order = first === 0 ? [ann, bob] : [bob, ann];
        const listed = [await states(order[0]!), await states(order[1]!)];
        expect(first === 0 ? listed : listed.toReversed()).toEqual(becomes);
      }
    });
  }

  it('a state is left alone while its command may still be in progress', async () => {
    const { accounts, ann, bob } = await two();
    await stored.contacts.insertOne(half(accounts[0], accounts[1], OUT, JUST_NOW));
    expect(await states(bob)).toEqual([]);
    expect(await states(ann)).toEqual(['out']);
    // A command on the pair does not wait.
    await bob.ok('contact:accept', { user_id: ann.id });
    expect([await states(ann), await states(bob)]).toEqual([['accepted'], ['accepted']]);
  });
});

describe('two nodes at once', () => {
  it('leave the same on both sides of a pair, whatever the commands', async () => {
    const { ann, bob } = await two();
    const commands = ['request', 'accept', 'reject', 'remove'] as const;
    for (let round = 0; round < 24; round++) {
      const [anns, bobs] = [commands[round % 4]!, commands[(round >> 2) % 4]!];
      await Promise.all([
        ann.raw(`contact:${anns}`, { user_id: bob.id }),
        bob.raw(`contact:${bobs}`, { user_id: ann.id }),
      ]);
      const [one, other] = [await states(ann), await states(bob)];
      const opposite: Record<string, string> = { in: 'out', out: 'in', accepted: 'accepted' };
      expect(other, `${anns} and ${bobs}`).toEqual(one.map((state) => opposite[state]));
    }
  });
});

describe('a node that is killed', () => {
  it('leaves pairs that the next command repairs', async () => {
    const commands = ['request', 'accept', 'request', 'remove', 'block', 'unblock', 'reject'] as const;
    for (let round = 0; round < 3; round++) {
      const doomed = await startServerProcess({ env });
      const crowd = await registerMany(servers[0]!.url, 8);
      const devices = await Promise.all(crowd.map((account) => connect(doomed.url, account)));
      for (let i = 0; i < 240; i++) {
        const [from, to] = [devices[i % 8]!, devices[(i + 1 + (i % 3)) % 8]!];
        from.socket.emit(`contact:${commands[i % commands.length]!}`, { user_id: to.id });
        if (i === 120 + 30 * round) void doomed.kill();
        if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await doomed.kill();
      const after = await Promise.all(crowd.map((account, i) => connect(servers[i % 2]!.url, account)));
      await Promise.all(
        after.flatMap((one, i) => after.slice(i + 1).map((other) => one.raw('contact:reject', { user_id: other.id }))),
      );
      const listed = await Promise.all(after.map((device) => device.ok('contact:list', {})));
      const stateOf = (i: number, j: number) => {
        const found = listed[i]!.contacts.find((contact) => contact.contact_id === after[j]!.id);
        return found ? (found.direction ?? found.status) : 'none';
      };
      for (let i = 0; i < 8; i++) {
        for (let j = i + 1; j < 8; j++) {
          expect([
            'none/none',
            'out/in',
            'accepted/accepted',
            'blocked/none',
            'none/blocked',
            'blocked/blocked',
          ]).toContain(`${stateOf(i, j)}/${stateOf(j, i)}`);
        }
      }
    }
  });
});

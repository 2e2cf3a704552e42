/** Two nodes whose clocks differ by ten minutes, over one database and without Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, registerMany } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

const OFF_MS = 600_000;
const RING_MS = 3000;

/** Node options that set a process's clock so many milliseconds off. */
const offBy = (ms: number) =>
  `--import=data:text/javascript,${encodeURIComponent(`
    const Real = Date;
    const now = () => Real.now() + ${ms};
    globalThis.Date = class Date extends Real {
      constructor(...given) {
        if (given.length === 0) super(now());
        else super(...given);
      }
      static now() {
        return now();
      }
    };
  `)}`;

let database: TestDatabase;
let right: ServerProcess;
let wrong: ServerProcess;

describe.each([
  ['behind', -OFF_MS],
  ['ahead', OFF_MS],
])('a node whose clock is ten minutes %s', (_which, ms) => {
  let one: Account;
  let other: Account;
  const devices: Device[] = [];

  beforeAll(async () => {
    database = await startDatabase();
    const env = {
      MONGODB_URL: database.url,
      JWT_SECRET: 'the same secret on both of these nodes',
      ACCESS_TOKEN_TTL_S: '300',
      CALL_RING_TIMEOUT_MS: String(RING_MS),
    };
    [right, wrong] = await Promise.all([
      startServerProcess({ env }),
      startServerProcess({ env: { ...env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${offBy(ms)}` } }),
    ]);
    [one, other] = (await registerMany(wrong.url, 2)) as [Account, Account];
  });
  afterAll(async () => {
    for (const device of devices) device.close();
    await Promise.all([right?.kill(), wrong?.kill()]);
    await database?.stop();
  });

  async function device(node: ServerProcess, account: Account): Promise<Device> {
    const connected = await connect(node.url, account);
    devices.push(connected);
    return connected;
  }

  it('issues tokens that the other takes', async () => {
    expect((await http(right.url, 'GET', '/users/me', { token: one.access_token })).status).toBe(200);
    const signedIn = await http(right.url, 'POST', '/auth/login', {
      body: { login: other.username, password: other.password },
    });
    expect((await http(wrong.url, 'GET', '/users/me', { token: signedIn.json.access_token })).status).toBe(200);
  });

  it('dates messages as the other does', async () => {
    const [here, there] = [await device(wrong, one), await device(right, one)];
    const first = await here.ok('message:send', { recipient_id: other.id, content: 'here' });
    const second = await there.ok('message:send', { recipient_id: other.id, content: 'there' });
    const apart = Date.parse(second.message.created_at) - Date.parse(first.message.created_at);
    expect(apart).toBeGreaterThanOrEqual(0);
    expect(apart).toBeLessThan(60_000);
  });

  it('ends sessions on the other, too', async () => {
    const signedIn = await http(right.url, 'POST', '/auth/login', {
      body: { login: one.username, password: one.password },
    });
    const there = await device(right, { ...one, ...signedIn.json });
    await http(wrong.url, 'POST', '/auth/logout', { token: signedIn.json.access_token });
    await expect.poll(() => there.socket.connected).toBe(false);
  });

  it('lets a call ring for as long as it should, although the other looks after its deadline as well', async () => {
    const [caller, callee] = [await device(wrong, one), await device(right, other)];
    const startedAt = performance.now();
    const { call } = await caller.ok('call:initiate', { recipient_id: callee.id, call_type: 'voice' });
    // Whichever node ends it: without Redis it does not tell the other's devices.
    const status = async () => (await caller.ok('call:history', {})).calls.find(({ _id }) => _id === call._id)?.status;
    await expect.poll(status).toBe('missed');
    expect(performance.now() - startedAt).toBeGreaterThan(RING_MS - 200);
  });

  it('loses nothing of a sync that was begun at the other', async () => {
    const [here, there] = [await device(wrong, one), await device(right, other)];
    const { server_time } = await there.ok('sync', {});
    const { message } = await here.ok('message:send', { recipient_id: other.id, content: 'since' });
    await there.ok('message:read', { recipient_id: one.id, up_to_seq: message.seq });
    const { conversations } = await here.ok('sync', {
      since: server_time,
      conversations: { [message.conversation_id]: message.rev },
    });
    expect(conversations.map(({ conversation }) => conversation.conversation_id)).toContain(message.conversation_id);
  });
});

import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, connectPair, register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { sharedServer, startServer } from '../support/server.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { openSocket } from '../support/sockets.ts';

const PASSWORD = 'the password of the operator';

interface Stats {
  serverId: string;
  clientsCount: number;
  namespaces: { name: string; socketsCount: number }[];
}

let cluster: Cluster<ServerProcess>;
let one: string;
let two: string;

beforeAll(async () => {
  cluster = await startCluster(2, { ADMIN_UI: 'on', ADMIN_UI_PASSWORD: PASSWORD }, startServerProcess);
  [one, two] = cluster.urls as [string, string];
});
afterAll(() => cluster.stop());

function open(base: string, auth: Record<string, unknown>): Socket {
  const socket = openSocket(`${base}/admin`, auth);
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** What comes with the next event of a name. */
const once = (socket: Socket, event: string) =>
  // biome-ignore lint/suspicious/noExplicitAny: events of another contract
  new Promise<any[]>((resolve) => void socket.once(event, (...args) => resolve(args)));

/** The error of a refused connection. */
async function refusalOf(socket: Socket): Promise<Error & { data?: { code: string } }> {
  const [error] = await once(socket, 'connect_error');
  return error;
}

/** Waits for the numbers of one node. */
async function statsOf(socket: Socket, matches: (stats: Stats) => boolean): Promise<Stats> {
  for (;;) {
    const [stats] = (await once(socket, 'server_stats')) as [Stats];
    if (matches(stats)) return stats;
  }
}

describe('the Admin UI', () => {
  it('gives who has the password the numbers of all nodes, and lets them change nothing', async () => {
    const [a, b] = await connectPair(one, two);
    const socket = open(one, { username: 'admin', password: PASSWORD });
    const config = once(socket, 'config');
    const first = await statsOf(socket, () => true);
    const other = await statsOf(socket, ({ serverId }) => serverId !== first.serverId);
    for (const { namespaces } of [first, other]) {
      expect(namespaces.find(({ name }) => name === '/')!.socketsCount).toBeGreaterThan(0);
    }
    expect((await config)[0]).toEqual({ supportedFeatures: ['AGGREGATED_EVENTS'] });
    socket.emit('emit', '/', undefined, 'server:draining', { reconnect_in_ms: 0 });
    socket.emit('join', '/', `user:${a.id}`, b.socket.id);
    socket.emit('_disconnect', '/', true);
    await statsOf(socket, ({ serverId }) => serverId === first.serverId);
    for (const device of [a, b]) {
      expect(device.socket.connected).toBe(true);
      expect(device.seen('server:draining')).toEqual([]);
    }
  });

  it('is told neither what is sent nor who is connected', async () => {
    const socket = open(one, { username: 'admin', password: PASSWORD });
    const told: unknown[] = [];
    socket.onAny((...event: unknown[]) => told.push(event));
    const { serverId } = await statsOf(socket, () => true);
    const [a, b] = await connectPair(one, one);
    await a.ok('message:send', { recipient_id: b.id, content: 'nobody else is to know' });
    await b.next('message:new');
    await statsOf(socket, (stats) => stats.serverId === serverId);
    await statsOf(socket, (stats) => stats.serverId === serverId);
    const text = JSON.stringify(told);
    for (const secret of ['nobody else', a.id, b.account.username, a.socket.id!]) expect(text).not.toContain(secret);
  });

  it.each([
    ['a wrong password', { username: 'admin', password: 'the password of somebody' }],
    ['another name', { username: 'root', password: PASSWORD }],
    ['no text as password', { username: 'admin', password: { $gt: '' } }],
    ['an invented session', { sessionId: '0123456789abcdef' }],
    ['nothing', {}],
  ])('refuses %s', async (_name, auth) => {
    expect((await refusalOf(open(one, auth))).message).toBe('invalid credentials');
  });

  it('refuses the access token of a user', async () => {
    const { access_token } = await register(one);
    expect((await refusalOf(open(one, { token: access_token }))).data?.code).toBe('unauthenticated');
  });

  it('knows who has signed in on the other node, too', async () => {
    const [sessionId] = await once(open(one, { username: 'admin', password: PASSWORD }), 'session');
    await expect
      .poll(async () => {
        const socket = open(two, { sessionId });
        return Promise.race([once(socket, 'connect').then(() => true), refusalOf(socket).then(() => false)]);
      })
      .toBe(true);
  });

  it('takes ten attempts a minute from an address', async () => {
    const server = await startServer({ env: { ADMIN_UI: 'on', ADMIN_UI_PASSWORD: PASSWORD, RATE_LIMITS: 'on' } });
    onTestFinished(async () => void (await server.stop()));
    const auth = { username: 'admin', password: 'the password of somebody' };
    for (let attempt = 0; attempt < 10; attempt++) {
      expect((await refusalOf(open(server.url, auth))).message).toBe('invalid credentials');
    }
    expect((await refusalOf(open(server.url, { ...auth, password: PASSWORD }))).data?.code).toBe('rate_limited');
    // Those who chat are not concerned.
    (await connect(server.url, await register(server.url))).close();
  });

  it('is not there where it is not switched on', async () => {
    const { url } = await sharedServer();
    expect((await refusalOf(open(url, { username: 'admin', password: PASSWORD }))).message).toBe('Invalid namespace');
  });
});

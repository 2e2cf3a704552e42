import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointsOf } from '../../shared/contract/define.ts';
import { commands } from '../../shared/contract/index.ts';
import { type Account, connect, type Device, http, registerMany } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What a user can pay at once, and in a second. */
const BURST = 1600;
const PER_SECOND = 400;

/** Sends a command many times at once; the outcomes by their codes, and how long it took in seconds. */
async function flood(devices: Device[], name: string, payload: unknown, times: number) {
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: times }, (_, i) => devices[i % devices.length]!.raw(name, payload)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const refused = answers.filter(({ error }) => error?.code === 'rate_limited');
  return { paid: times - refused.length, refused, seconds };
}

describe('what a command costs', () => {
  it('is between 1 and 40 points, whatever is sent', () => {
    const odd = [undefined, null, 7, 'x', [], {}, { limit: -1 }, { limit: 1e9 }, { limit: 'x' }, { user_ids: 7 }];
    for (const { cost } of Object.values(commands)) {
      for (const payload of odd) expect(pointsOf(cost, payload)).toBeOneOf(Array.from({ length: 40 }, (_, i) => i + 1));
    }
  });

  it('grows with the page that it asks for', () => {
    const { cost } = commands['message:history'];
    expect([1, 20, undefined, 100, 200].map((limit) => pointsOf(cost, { limit }))).toEqual([1, 4, 10, 20, 40]);
    expect(pointsOf(commands['presence:get'].cost, { user_ids: ['a'] })).toBe(1);
    expect(pointsOf(commands['message:send'].cost, { content: 'x' })).toBe(1);
  });
});

describe('the points of a user', () => {
  let server: TestServer;
  let accounts: Account[];
  beforeAll(async () => {
    server = await startServer({ env: { RATE_LIMITS: 'on' } });
    accounts = await registerMany(server.url, 4);
  });
  afterAll(() => server.stop());

  it('are used up by pages long before the commands of a connection are, and come back', async () => {
    const device = await connect(server.url, accounts[0]!);
    const { paid, refused, seconds } = await flood([device], 'sync', {}, 150);
    expect(paid).toBeGreaterThan(0);
    expect(paid).toBeLessThanOrEqual((BURST + PER_SECOND * seconds) / 40);
    const wait = Math.max(...refused.map(({ error }) => (error!.details as { retry_after_ms: number }).retry_after_ms));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(100);
    await expect.poll(async () => (await device.raw('sync', {})).ok).toBe(true);
  });

  it('are shared by all connections and HTTP, and nobody else’s', async () => {
    const [own, other] = [accounts[1]!, accounts[2]!];
    const devices = await Promise.all([connect(server.url, own), connect(server.url, own)]);
    const stranger = await connect(server.url, other);
    const request = { token: own.access_token, body: {} };
    const startedAt = performance.now();
    const [overSockets, overHttp] = await Promise.all([
      flood(devices, 'sync', {}, 200),
      Promise.all(Array.from({ length: 50 }, () => http(server.url, 'POST', '/api/sync', request))),
    ]);
    const seconds = (performance.now() - startedAt) / 1000;
    const paid = overSockets.paid + overHttp.filter(({ status }) => status === 200).length;
    expect(paid).toBeLessThanOrEqual((BURST + PER_SECOND * seconds) / 40);
    expect((await stranger.raw('sync', {})).ok).toBe(true);
  });

  it('let messages and marks pass as before', async () => {
    const device = await connect(server.url, accounts[3]!);
    const { refused } = await flood([device], 'typing:stop', { recipient_id: accounts[0]!.id }, 200);
    expect(refused).toEqual([]);
  });
});

describe('over several nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(2, { RATE_LIMITS: 'on' });
  });
  afterAll(() => cluster.stop());

  it('the points of a user are the same', async () => {
    const [account] = await registerMany(cluster.urls[0]!, 1);
    const devices = await Promise.all(cluster.urls.map((url) => connect(url, account!)));
    const { paid, seconds } = await flood(devices, 'sync', {}, 300);
    expect(paid).toBeGreaterThan(0);
    // On a busy machine a node that Redis answers late goes by what it knows itself for a moment.
    expect(paid).toBeLessThanOrEqual((1.1 * (BURST + PER_SECOND * seconds)) / 40);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { connectRaw, type RawSocket } from '../support/raw-socket.ts';
import { startServer, type TestServer } from '../support/server.ts';

const MOST = 100;

/** Connects one after the other, on the nodes in turn. */
async function connectMany(urls: string[], token: string, count: number): Promise<RawSocket[]> {
  const all: RawSocket[] = [];
  for (let i = 0; i < count; i++) all.push(await connectRaw(urls[i % urls.length]!, token));
  return all;
}

const openAmong = (sockets: RawSocket[]) => sockets.map((socket) => socket.isOpen());

describe('a user’s connections', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ env: { RATE_LIMITS: 'on' } });
  });
  afterAll(() => server.stop());

  it('are at most a hundred: the oldest is closed', async () => {
    const { access_token: token } = await register(server.url);
    const stranger = await connectRaw(server.url, (await register(server.url)).access_token);
    const all = await connectMany([server.url], token, MOST + 3);
    await Promise.all(all.slice(0, 3).map(({ closed }) => closed));
    expect(openAmong(all.slice(3))).toEqual(Array(MOST).fill(true));
    expect(stranger.isOpen()).toBe(true);
    for (const socket of [...all, stranger]) socket.close();
  });

  it('are closed unanswered where they come faster than the user’s budget allows, and nobody else’s are', async () => {
    const { access_token: token } = await register(server.url);
    const attempts = await Promise.allSettled(Array.from({ length: 400 }, () => connectRaw(server.url, token)));
    const connected = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? attempt.value : []));
    expect(connected.length).toBeGreaterThan(0);
    expect(connected.length).toBeLessThan(400);
    const stranger = await connectRaw(server.url, (await register(server.url)).access_token);
    for (const socket of [...connected, stranger]) socket.close();
  });
});

describe('over several nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(2, { RATE_LIMITS: 'on' });
  });
  afterAll(() => cluster.stop());

  it('a user’s connections are at most a hundred together', async () => {
    const { access_token: token } = await register(cluster.urls[0]!);
    const all = await connectMany(cluster.urls, token, MOST + 4);
    await Promise.all(all.slice(0, 4).map(({ closed }) => closed));
    expect(openAmong(all.slice(4))).toEqual(Array(MOST).fill(true));
    for (const socket of all) socket.close();
  });
});

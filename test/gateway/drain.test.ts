import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, http, register } from '../support/client.ts';
import { startEmbeddedDatabase } from '../support/database.ts';
import { startServerProcess } from '../support/server-process.ts';
import { startWireProxy } from '../support/wire-proxy.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-drain-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('SIGTERM', () => {
  it('tells every client, finishes what is in flight, and loses nothing that it acknowledged', async () => {
    const dataDir = path.join(folder, 'stream');
    const server = await startServerProcess({ dataDir });
    const accounts = await Promise.all(Array.from({ length: 6 }, () => register(server.url)));
    const devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
    const target = await register(server.url);
    const acknowledged = new Map<string, number>();
    let refusedOtherwise = '';
    const streams = devices.map(async (device, writer) => {
      for (let i = 0; device.socket.connected; i++) {
        const client_message_id = `${writer}.${i}`;
        const answer = await device
          .raw('message:send', { recipient_id: target.id, content: client_message_id, client_message_id })
          .catch(() => undefined);
        if (answer?.ok) acknowledged.set(client_message_id, writer);
        else if (answer && answer.error?.code !== 'unavailable') refusedOtherwise = JSON.stringify(answer.error);
      }
    });
    await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(100);

    const startedAt = Date.now();
    const code = server.stop();
    const told = await Promise.all(devices.map((device) => device.next('server:draining')));
    for (const { reconnect_in_ms } of told) expect(reconnect_in_ms).toBeLessThanOrEqual(10_000);
    expect(new Set(told.map((event) => event.reconnect_in_ms)).size).toBeGreaterThan(1);
    expect(await code).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    await Promise.all(streams);
    expect(refusedOtherwise).toBe('');
    expect(server.output()).not.toMatch(/unhandled|unexpected error/);

    const again = await startServerProcess({ dataDir });
    for (const [writer, account] of accounts.entries()) {
      const device = await connect(again.url, account);
      const stored: string[] = [];
      for (let after_seq = 0, more = true; more; ) {
        const page = await device.ok('message:history', { recipient_id: target.id, after_seq, limit: 200 });
        stored.push(...page.messages.map((message) => message.client_message_id!));
        expect(page.messages.map((message) => message.seq)).toEqual(page.messages.map((_, i) => after_seq + 1 + i));
        after_seq = page.messages.at(-1)!.seq;
        more = page.has_more;
      }
      expect(new Set(stored).size).toBe(stored.length);
      const mine = [...acknowledged].filter(([, by]) => by === writer).map(([id]) => id);
      expect(stored).toEqual(expect.arrayContaining(mine));
      device.close();
    }
    expect(await again.stop()).toBe(0);
  });

  it('answers not ready and takes no new connection while draining, and closes so that clients come back', async () => {
    const server = await startServerProcess({ dataDir: path.join(folder, 'ready') });
    const account = await register(server.url);
    const device = await connect(server.url, account);
    const reason = new Promise<string>((resolve) => device.socket.once('disconnect', resolve));
    const code = server.stop();
    await device.next('server:draining');
    const [ready, health, handshake] = await Promise.allSettled([
      http(server.url, 'GET', '/readyz'),
      http(server.url, 'GET', '/healthz'),
      connect(server.url, account),
    ]);
    if (ready.status === 'fulfilled') {
      expect([ready.value.status, ready.value.json.status]).toEqual([503, 'draining']);
    }
    if (health.status === 'fulfilled') expect(health.value.status).toBe(200);
    expect(handshake.status).toBe('rejected');
    // A client that is disconnected by name would stay away.
    expect(await reason).toBe('transport close');
    expect(await code).toBe(0);
  });

  it('tells every client at once while the database has no primary', async () => {
    const database = await startEmbeddedDatabase();
    const proxy = await startWireProxy(database.url);
    const server = await startServerProcess({ env: { MONGODB_URL: proxy.url } });
    const device = await connect(server.url, await register(server.url));
    proxy.setPrimary(false);
    // By then, what the server does by itself waits for one, too, and would for fifteen seconds.
    expect((await device.refused('conversation:list')).code).toBe('unavailable');
    const startedAt = performance.now();
    const code = server.stop();
    await device.next('server:draining');
    expect(performance.now() - startedAt).toBeLessThan(12_000);
    expect(await code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await proxy.close();
    await database.stop();
  });

  it('does not wait for a client that does not read', async () => {
    const server = await startServerProcess({ dataDir: path.join(folder, 'stuck') });
    const device = await connect(server.url, await register(server.url));
    const { ws } = device.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } };
    ws._socket.pause();
    expect(await server.stop()).toBe(0);
    expect(server.output()).not.toContain('not everything has ended in time');
    device.close();
  });
});

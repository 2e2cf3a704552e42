/** Where a server is reached from its own machine alone, it is served under the names of that machine (DNS rebinding). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openFrontDoor } from '../../server/http/front-door.ts';
import { type HostConfig, isLoopback } from '../../server/http/host.ts';
import { type Account, connect, register } from '../support/client.ts';
import { exchange, requestText } from '../support/raw-http.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Account;
beforeAll(async () => {
  server = await sharedServer();
  ann = await register(server.url);
});

const ask = async (url: string, route: string, host: string) => {
  const [answer] = await exchange(url, requestText(`GET ${route}`, { Host: host, Connection: 'close' }));
  return answer!;
};
const POLLING = '/socket.io/?EIO=4&transport=polling';
const port = () => new URL(server.url).port;

describe('a page whose name was made to point at this machine', () => {
  it.each(['/healthz', '/users/me', '/nothing', POLLING])('is refused at %s', async (route) => {
    for (const host of [
      'evil.example',
      `evil.example:${port()}`,
      'localhost.evil.example',
      '192.168.0.1',
      '[fe80::1]',
    ]) {
      const { status, json } = await ask(server.url, route, host);
      expect([host, status, json.error.code]).toEqual([host, 403, 'forbidden']);
    }
  });

  it('cannot open a WebSocket', async () => {
    const host = { host: `evil.example:${port()}` };
    await expect(connect(server.url, ann, { headers: host })).rejects.toThrow();
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    const headers = { ...upgrade, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', Host: 'evil.example' };
    const [answer] = await exchange(server.url, requestText('GET /socket.io/?EIO=4&transport=websocket', headers));
    expect([answer!.status, answer!.json.error.code]).toEqual([403, 'forbidden']);
  });
});

it('every name and address of this machine is served', async () => {
  const hosts = ['localhost', 'LOCALHOST.', 'app.localhost', '127.0.0.1', '127.8.9.10', '[::1]', '[::ffff:127.0.0.1]'];
  for (const host of hosts.flatMap((name) => [name, `${name}:${port()}`, `${name}:1`])) {
    expect([host, (await ask(server.url, '/healthz', host)).status]).toEqual([host, 200]);
    expect([host, (await ask(server.url, POLLING, host)).status]).toEqual([host, 200]);
  }
  (await connect(server.url, ann, { headers: { host: 'localhost' } })).close();
});

it.each<[string, Partial<HostConfig>]>([
  ['behind a proxy that serves PUBLIC_URL', { publicUrl: 'https://chat.example.org' }],
  ['behind a trusted proxy', { trustProxy: true }],
  ['on all addresses', { host: '0.0.0.0' }],
  ['by a name of its own', { host: 'chat.example.org' }],
])('a server %s is served under any name it is reached by', async (_where, settings) => {
  const http = createServer((_request, response) => response.end('served'));
  openFrontDoor(http, { host: '127.0.0.1', publicUrl: undefined, trustProxy: false, ...settings }, '/socket.io/');
  await new Promise<void>((resolve) => http.listen(0, settings.host === '0.0.0.0' ? '0.0.0.0' : '127.0.0.1', resolve));
  onTestFinished(() => void http.close());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  expect((await ask(url, '/', 'chat.example.org')).status).toBe(200);
});

it.each([
  ['localhost', true],
  ['::1', true],
  ['127.0.0.1.', true],
  ['127.0.0.1.evil.example', false],
  ['localhost.example', false],
  ['::', false],
  ['0.0.0.0', false],
  ['::ffff:10.0.0.1', false],
])('%s is loopback: %s', (name, expected) => {
  expect(isLoopback(name)).toBe(expected);
});

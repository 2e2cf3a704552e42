import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { read, uploaded } from '../media/client.ts';
import { connect, http, register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/redis.ts';
import { removeAtExit } from '../support/server.ts';

/** Longer than `fail_timeout`, and than clients take to come back from a drain. */
const PATIENCE = { timeout: 40_000 };

let cluster: Cluster;
let url: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  cluster = await startCluster(2, { TRUST_PROXY: 'on' });
  ({ url, stop } = await startNginx(cluster.urls.map((node) => new URL(node).host)));
});
afterAll(async () => {
  await stop();
  await cluster.stop();
});

/** nginx with the sample, on a port without TLS. */
async function startNginx([one, two]: string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'letsapp-nginx-'));
  removeAtExit(folder);
  const port = await freePort();
  const sample = readFileSync(path.resolve(import.meta.dirname, '../../docs/deploy/nginx.conf'), 'utf8')
    .replace('server-1:3000', one!)
    .replace('server-2:3000', two!)
    .replace('listen 443 ssl http2', `listen 127.0.0.1:${port}`)
    .replaceAll(/^ *ssl_.*$/gm, '');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  writeFileSync(
    path.join(folder, 'nginx.conf'),
    `daemon off; pid pid; error_log stderr crit; events {} http { access_log off; ${paths.join(' ')}\n${sample}\n}`,
  );
  const args = ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'];
  const child = spawn('nginx', args, { stdio: 'inherit' });
  // Killed, it would leave its workers behind.
  const end = () => void child.kill('SIGTERM');
  process.once('exit', end);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const base = `http://127.0.0.1:${port}`;
  await eventually(async () => expect((await fetch(`${base}/healthz`)).status).toBe(200));
  return {
    url: base,
    async stop() {
      end();
      await exited;
      process.off('exit', end);
    },
  };
}

it('nginx passes WebSockets, long polling and uploads on, and keeps the metrics to itself', async () => {
  const account = await register(url);
  const device = await connect(url, account);
  expect(device.socket.io.engine.transport.name).toBe('websocket');
  device.close();
  expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(200);
  // More than nginx takes by default.
  const bytes = Buffer.alloc(3 * 1024 * 1024, 'x');
  const { _id } = await uploaded(url, account, '/files', bytes, 'large.txt');
  const got = await read(url, `/files/${_id}`, account, { headers: { range: 'bytes=0-9' } });
  expect([got.status, got.bytes.toString()]).toEqual([206, 'xxxxxxxxxx']);
  for (const route of ['/metrics', '/METRICS', '/%6detrics', '//metrics']) {
    const hidden = await http(url, 'GET', route);
    expect([hidden.status, hidden.json.error.code]).toEqual([404, 'not_found']);
  }
});

async function connectionsOf(node: string): Promise<number> {
  const text = await (await fetch(`${node}/metrics`)).text();
  return Number(/^letsapp_connections (\d+)$/m.exec(text)?.[1]);
}

it('nginx leads clients to the other node while one is restarted, and no message is lost', async () => {
  const [ann, bob] = await Promise.all([register(url), register(url)]);
  const reader = await connect(url, bob);
  const sent: string[] = [];
  let sender = await connect(url, ann);
  const send = async (content: string) => {
    const { message } = await sender.ok('message:send', { recipient_id: bob.id, content });
    sent.push(message._id);
  };
  await send('before');
  // By `ip_hash` all are on one node: the one that says so.
  const counts = await Promise.all(cluster.urls.map(connectionsOf));
  expect(await cluster.nodes[counts.indexOf(Math.max(...counts))]!.stop()).toBe(0);
  await expect
    .poll(async () => {
      sender = await connect(url, ann);
      return sender.socket.connected;
    }, PATIENCE)
    .toBe(true);
  await send('after');
  const back = reader.socket.connected ? reader : await connect(url, bob);
  const { conversations } = await back.ok('sync', {});
  expect(conversations.flatMap(({ messages }) => messages.map(({ _id }) => _id))).toEqual(sent);
  for (const device of [sender, back]) device.close();
});

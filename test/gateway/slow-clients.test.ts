import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect, register } from '../support/client.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

const CLIENTS = 300;
const TEXT = 'x'.repeat(15_000);
const MESSAGES = 400;
const MIB = 1024 * 1024;

let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess();
});

afterAll(() => server.kill());

/** The resident memory of the server's process, in bytes. */
async function memory(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** A client that connects and then stops reading. */
async function deafClient(token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
      if (text.includes('session:ready')) resolve();
    });
  });
  socket.pause();
  return socket;
}

it('300 clients that stop reading during a flood cost at most 1 MiB each and affect no other client', async () => {
  const [A, B] = await Promise.all([register(server.url), register(server.url)]);
  const deaf: WebSocket[] = [];
  for (let i = 0; i < CLIENTS; i += 50) {
    deaf.push(...(await Promise.all(Array.from({ length: 50 }, () => deafClient(B.access_token)))));
  }
  const a = await connect(server.url, A);
  const b = await connect(server.url, B);
  const before = await memory();
  let most = 0;
  const watch = setInterval(() => {
    void memory().then((bytes) => {
      most = Math.max(most, bytes);
    });
  }, 100);
  for (let i = 0; i < MESSAGES; i += 20) {
    await Promise.all(Array.from({ length: 20 }, () => a.ok('message:send', { recipient_id: b.id, content: TEXT })));
  }
  const last = await b.next('message:new', ({ message }) => message.seq === MESSAGES, 60_000);
  clearInterval(watch);
  expect(last.message.content).toBe(TEXT);
  expect(b.seen('message:new')).toHaveLength(MESSAGES);
  // Each was sent 6 MB; kept, that would be 1.8 GB.
  expect(most - before).toBeLessThan(CLIENTS * MIB);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(Number(/^letsapp_connections (\d+)/m.exec(metrics)?.[1])).toBe(2);
  for (const client of deaf) client.terminate();
}, 120_000);

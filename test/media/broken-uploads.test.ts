import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';
import { openRequest, PATIENCE, upload } from './client.ts';
import { temporaryFiles } from './traces.ts';

const FORM = { 'Content-Type': 'multipart/form-data; boundary=b' };
const PART = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
const TUS = {
  'Tus-Resumable': '1.0.0',
  'Upload-Length': '400000',
  'Upload-Metadata': 'filename YQ==',
  'Content-Type': 'application/offset+octet-stream',
};
const LENGTH = { 'Content-Length': '400000' };
const CHUNKED = { 'Transfer-Encoding': 'chunked' };
const BYTES = 'x'.repeat(50_000);
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** How far a request comes, and how it breaks off. */
const REQUESTS: [string, string, Record<string, string>, string][] = [
  ['a form that ends with its head', 'POST /files', { ...FORM, ...LENGTH }, ''],
  ['a form that ends within the head of its part', 'POST /files', { ...FORM, ...LENGTH }, PART.slice(0, 40)],
  ['a form that ends with the head of its part', 'POST /files', { ...FORM, ...LENGTH }, PART],
  ['a form that ends within the file', 'POST /media', { ...FORM, ...LENGTH }, PART + BYTES],
  ['a chunked form that ends within the file', 'POST /files', { ...FORM, ...CHUNKED }, chunk(PART + BYTES)],
  ['a form with a malformed chunk', 'POST /files', { ...FORM, ...CHUNKED }, `10\r\n${PART}${BYTES}`],
  [
    'a form with a later malformed chunk',
    'POST /files',
    { ...FORM, ...CHUNKED },
    `${chunk(PART + BYTES)}zz\r\n${BYTES}`,
  ],
  ['a resumable upload that ends with its head', 'POST /uploads', { ...TUS, ...LENGTH }, ''],
  ['a resumable upload that ends within its bytes', 'POST /uploads', { ...TUS, ...LENGTH }, BYTES],
  ['a chunked resumable upload that ends within its bytes', 'POST /uploads', { ...TUS, ...CHUNKED }, chunk(BYTES)],
  ['a resumable upload with a malformed chunk', 'POST /uploads', { ...TUS, ...CHUNKED }, `10\r\n${BYTES}`],
  [
    'a resumable upload with a later malformed chunk',
    'POST /uploads',
    { ...TUS, ...CHUNKED },
    `${chunk(BYTES)}zz\r\n${BYTES}`,
  ],
];
const ENDINGS: Record<string, (socket: Socket) => void> = {
  'at once': (socket) => socket.destroy(),
  'by a reset': (socket) => socket.resetAndDestroy(),
  'half closed': (socket) => socket.end(),
};

let database: TestDatabase;
let server: ServerProcess;
let ann: Account;
beforeAll(async () => {
  database = await startDatabase();
  server = await startServerProcess({ env: { MONGODB_URL: database.url } });
  ann = await register(server.url);
  // The connections to the database are made.
  await Promise.all(Array.from({ length: 60 }, () => upload(server.url, ann, '/files', 'x')));
});
afterAll(async () => {
  await server.kill();
  await database.stop();
});

/** Descriptors of the process, which are its connections and open files. */
const descriptors = async () => (await readdir(`/proc/${server.pid}/fd`)).length;

describe.each(Object.entries(ENDINGS))('requests that break off %s leave neither files nor descriptors', (_, end) => {
  it.each(REQUESTS)('%s', async (_name, line, headers, body) => {
    const before = await descriptors();
    const sockets = Array.from({ length: 8 }, () => openRequest(server.url, line, ann, headers));
    for (const [i, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.resume();
      socket.write(body);
      // Some break off before the server knows whose they are, some while it writes.
      setTimeout(() => end(socket), i * 8);
    }
    await sleep(64);
    // Behind these requests in every queue.
    expect((await upload(server.url, ann, '/files', 'x')).status).toBe(201);
    await expect.poll(() => temporaryFiles(server), PATIENCE).toEqual([]);
    await expect.poll(descriptors, PATIENCE).toBeLessThanOrEqual(before + 2);
    for (const socket of sockets) socket.destroy();
  });
});

it('malformed requests cannot use up the descriptors: others still connect and upload', async () => {
  const [, line, headers, body] = REQUESTS.find(([name]) => name === 'a resumable upload with a malformed chunk')!;
  for (let i = 0; i < 10; i++) {
    const sockets = Array.from({ length: 50 }, () => openRequest(server.url, line, ann, headers));
    await Promise.all(
      sockets.map(async (socket) => {
        socket.on('error', () => {});
        socket.resume();
        socket.write(body);
        await sleep(50);
        socket.destroy();
      }),
    );
  }
  const bob = await register(server.url);
  (await connect(server.url, bob)).close();
  expect((await upload(server.url, bob, '/files', 'x')).status).toBe(201);
  await expect.poll(() => temporaryFiles(server), PATIENCE).toEqual([]);
});

it('what a killed server left is gone after the next start, and not what another one in the same folder works on', async () => {
  const env = { MONGODB_URL: database.url };
  const living = await startProcessForTest({ env });
  const { dataDir } = living;
  const killed = await startProcessForTest({ env, dataDir });
  const bob = await register(living.url);
  const headers = { ...FORM, ...LENGTH };
  const requests = [living, killed].map(({ url }) => {
    const socket = openRequest(url, 'POST /files', bob, headers);
    socket.on('error', () => {});
    socket.write(PART + BYTES);
    return socket;
  });
  await expect.poll(() => temporaryFiles(living), PATIENCE).toHaveLength(2);
  await killed.kill();
  const next = await startProcessForTest({ env, dataDir });
  await expect.poll(() => temporaryFiles(next), PATIENCE).toHaveLength(1);
  let answer = '';
  requests[0]!.on('data', (bytes) => {
    answer += String(bytes);
  });
  const closing = '\r\n--b--\r\n';
  requests[0]!.write('x'.repeat(400_000 - PART.length - BYTES.length - closing.length) + closing);
  await expect.poll(() => answer, PATIENCE).toMatch(/^HTTP\/1\.1 201 /);
  for (const socket of requests) socket.destroy();
});

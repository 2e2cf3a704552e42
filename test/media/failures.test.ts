import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, register } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { multipart, openRequest, PATIENCE, read, upload, uploaded } from './client.ts';
import { temporaryFiles } from './traces.ts';

let database: EmbeddedDatabase;
let server: ServerProcess;
let ann: Account;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  server = await startServerProcess({ env: { MONGODB_URL: database.url } });
  ann = await register(server.url);
});
afterAll(async () => {
  await server.kill();
  await rm(server.dataDir, { recursive: true });
  await database.stop();
});

it('an upload is refused as unavailable when the database dies meanwhile; later ones succeed once it is back', async () => {
  const kept = await uploaded(server.url, ann, '/files', 'from before');
  const temporary = () => temporaryFiles(server);
  await expect.poll(temporary, PATIENCE).toEqual([]);
  const { type, bytes } = multipart([{ content: Buffer.alloc(1_000_000), filename: 'a' }]);
  const headers = { 'Content-Type': type, 'Content-Length': String(bytes.length) };
  const socket = openRequest(server.url, 'POST /files', ann, headers);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  socket.write(bytes.subarray(0, 500_000));
  await expect.poll(temporary, PATIENCE).toHaveLength(1);

  await database.kill();
  socket.write(bytes.subarray(500_000));
  await expect.poll(() => answer, PATIENCE).toMatch(/^HTTP\/1\.1 503 .*"code":"unavailable"/s);
  socket.destroy();
  expect(await temporary()).toEqual([]);
  expect(await read(server.url, `/files/${kept._id}`, ann)).toMatchObject({ status: 503, code: 'unavailable' });

  await database.restart();
  await expect.poll(async () => (await upload(server.url, ann, '/files', 'after')).status, PATIENCE).toBe(201);
  expect((await read(server.url, `/files/${kept._id}`, ann)).bytes.toString()).toBe('from before');
});

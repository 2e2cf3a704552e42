import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, register } from '../support/client.ts';
import { startProgram, startServer, type TestServer } from '../support/server.ts';
import { multipart, openRequest, PATIENCE, read, upload, uploaded } from './client.ts';
import { temporaryFiles } from './traces.ts';

let directory: string;
let database: Awaited<ReturnType<typeof startProgram>>;
let server: TestServer;
let ann: Account;

const startDatabase = (port: string) =>
  startProgram('server/embedded/main.ts', { DATA_DIR: directory, DATABASE_PORT: port });

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-failures-'));
  database = await startDatabase('0');
  server = await startServer({ env: { MONGODB_URL: database.url } });
  ann = await register(server.url);
});
afterAll(async () => {
  await server.kill();
  await rm(server.dataDir, { recursive: true });
  database.child.kill('SIGKILL');
  await database.exited;
  await rm(directory, { recursive: true });
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

  database.child.kill('SIGKILL');
  await database.exited;
  socket.write(bytes.subarray(500_000));
  await expect.poll(() => answer, PATIENCE).toMatch(/^HTTP\/1\.1 503 .*"code":"unavailable"/s);
  socket.destroy();
  expect(await temporary()).toEqual([]);
  expect(await read(server.url, `/files/${kept._id}`, ann)).toMatchObject({ status: 503, code: 'unavailable' });

  database = await startDatabase(new URL(database.url).port);
  await expect.poll(async () => (await upload(server.url, ann, '/files', 'after')).status, PATIENCE).toBe(201);
  expect((await read(server.url, `/files/${kept._id}`, ann)).bytes.toString()).toBe('from before');
});

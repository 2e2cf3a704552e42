import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { post, read, upload, uploaded } from './client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { RATE_LIMITS: 'on', MEDIA_STORAGE: 'disk' } });
});
afterAll(() => server.stop());

it('each user may begin 60 uploads a minute', async () => {
  const [bob, cleo] = [await register(server.url), await register(server.url)];
  expect((await upload(server.url, bob, '/files', 'x')).status).toBe(201);
  // Those without a file count as well, and cost no time in which the budget would grow.
  const empty = { type: 'text/plain', bytes: Buffer.alloc(0) };
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async () => (await post(server.url, '/files', bob, empty)).status),
  );
  expect(new Set(statuses)).toEqual(new Set([415, 429]));
  // The budget grows by one each second.
  expect(statuses.filter((status) => status === 415).length).toBeGreaterThanOrEqual(59);
  expect((await upload(server.url, cleo, '/files', 'x')).status).toBe(201);
});

it('MEDIA_STORAGE=disk keeps bytes in the data folder', async () => {
  const ann = await register(server.url);
  const file = await uploaded(server.url, ann, '/files', 'on the disk');
  const key = (file.filename as string).split('.')[0]!;
  const stored = path.join(server.dataDir, 'media', key.slice(0, 2), key);
  expect(await readFile(stored, 'utf8')).toBe('on the disk');
  expect((await read(server.url, `/files/${file._id}`, ann)).bytes.toString()).toBe('on the disk');
  expect((await read(server.url, `/files/${file._id}`, ann, { method: 'DELETE' })).status).toBe(204);
  await expect(readFile(stored)).rejects.toMatchObject({ code: 'ENOENT' });
});

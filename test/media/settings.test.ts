import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { register } from '../support/client.ts';
import { startServerForTest } from '../support/server.ts';
import { read, upload, uploaded } from './client.ts';

it('more than 60 uploads in a minute are refused, each user for itself', async () => {
  const limited = await startServerForTest({ env: { RATE_LIMITS: 'on' } });
  const [bob, cleo] = [await register(limited.url), await register(limited.url)];
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async () => (await upload(limited.url, bob, '/files', 'x')).status),
  );
  expect(new Set(statuses)).toEqual(new Set([201, 429]));
  // The budget is never quite used up: it grows by one each second.
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(60);
  expect((await upload(limited.url, cleo, '/files', 'x')).status).toBe(201);
});

it('with MEDIA_STORAGE=disk the bytes are in the data folder and not in the database', async () => {
  const onDisk = await startServerForTest({ env: { MEDIA_STORAGE: 'disk' } });
  const bob = await register(onDisk.url);
  const file = await uploaded(onDisk.url, bob, '/files', 'on the disk');
  const key = (file.filename as string).split('.')[0]!;
  const stored = path.join(onDisk.dataDir, 'media', key.slice(0, 2), key);
  expect(await readFile(stored, 'utf8')).toBe('on the disk');
  expect((await read(onDisk.url, `/files/${file._id}`, bob)).bytes.toString()).toBe('on the disk');
  expect((await read(onDisk.url, `/files/${file._id}`, bob, { method: 'DELETE' })).status).toBe(204);
  await expect(readFile(stored)).rejects.toMatchObject({ code: 'ENOENT' });
});

/** Uploads that break off, on purpose or not. */
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Account, registerMany } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { open } from './scene.ts';

/** What one request carries at most. */
const PIECE = 4 * 1024 * 1024;
const SIZE = PIECE + 2_000_000;
const BYTES = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7) % 251);

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});
const file = () => Object.assign(new Blob([BYTES]), { name: 'plan.bin' });

it('goes on after a lost connection from where it was, and arrives whole', async () => {
  const [account] = (await registerMany(server.url, 1)) as [Account];
  const proxy = await startProxy(Number(new URL(server.url).port));
  onTestFinished(() => proxy.close());
  const client = open(`http://127.0.0.1:${proxy.port}`, account);
  /** What had arrived, as told once the way was cut in the second piece. */
  const after: number[] = [];
  let isCut = false;
  const uploaded = await client.upload(file(), {
    onProgress({ loaded, total }) {
      expect(total).toBe(SIZE);
      if (isCut) after.push(loaded);
      if (isCut || loaded <= PIECE) return;
      isCut = true;
      proxy.cut();
      setTimeout(() => proxy.pass(), 50);
    },
  });
  expect(Math.min(...after)).toBeGreaterThanOrEqual(PIECE);
  expect(uploaded.message_type).toBe('document');
  const headers = { authorization: `Bearer ${account.access_token}` };
  const response = await fetch(`${server.url}/files/${uploaded.media_id}`, { headers });
  expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(BYTES))).toBe(true);
});

it('that is aborted rejects with an AbortError, and goes no further', async () => {
  const [account] = (await registerMany(server.url, 1)) as [Account];
  const client = open(server.url, account);
  const aborting = new AbortController();
  const told: number[] = [];
  const uploading = client.upload(file(), {
    signal: aborting.signal,
    onProgress({ loaded }) {
      told.push(loaded);
      aborting.abort();
    },
  });
  await expect(uploading).rejects.toMatchObject({ name: 'AbortError' });
  expect(Math.max(...told)).toBeLessThan(SIZE);
  await expect(client.upload(file(), { signal: aborting.signal })).rejects.toMatchObject({ name: 'AbortError' });
});

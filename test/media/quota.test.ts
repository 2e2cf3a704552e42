import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';
import { startProcessForTest } from '../support/server-process.ts';
import { multipart, openRequest, PATIENCE, read, upload, uploaded } from './client.ts';
import { picture } from './samples.ts';
import { temporaryFiles } from './traces.ts';
import { begunUpload, createUpload, sendPiece, tus } from './tus-client.ts';

const SECRET = 'a secret that both nodes share, long enough';
const QUOTA = 400_000;
let database: TestDatabase;
let env: Record<string, string>;
let nodes: TestServer[];
let ann: Account;

beforeAll(async () => {
  database = await startDatabase();
  env = { MONGODB_URL: database.url, JWT_SECRET: SECRET, USER_QUOTA_BYTES: String(QUOTA) };
  nodes = await Promise.all([startServer({ env }), startServer({ env })]);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await database.stop();
});
beforeEach(async () => {
  ann = await register(nodes[0]!.url);
});

const first = () => nodes[0]!.url;
const second = () => nodes[1]!.url;
const statusOf = async (base: string, size: number) => (await upload(base, ann, '/files', Buffer.alloc(size))).status;

describe("a user's quota", () => {
  it('is exactly used up, refuses one byte more by its name, and is nobody else’s', async () => {
    expect(await statusOf(first(), QUOTA - 1000)).toBe(201);
    expect(await statusOf(second(), 1001)).toBe(413);
    expect(await statusOf(second(), 1000)).toBe(201);
    const { status, json } = await upload(first(), ann, '/files', 'x');
    expect([status, json.error]).toMatchObject([413, { code: 'payload_too_large', details: [{ path: 'quota' }] }]);
    const bob = await register(first());
    expect((await upload(first(), bob, '/files', Buffer.alloc(QUOTA))).status).toBe(201);
  });

  it('has room again for what was deleted', async () => {
    const file = await uploaded(first(), ann, '/files', Buffer.alloc(QUOTA));
    expect(await statusOf(first(), 1)).toBe(413);
    expect((await read(second(), `/files/${file._id}`, ann, { method: 'DELETE' })).status).toBe(204);
    expect(await statusOf(first(), QUOTA)).toBe(201);
  });

  it('counts resumable uploads under way by their length, from their beginning to their end', async () => {
    const route = await begunUpload(first(), ann, QUOTA - 1000);
    const refused = await createUpload(second(), ann, 1001, { filename: 'a' });
    expect(refused).toMatchObject({ status: 413, code: 'payload_too_large', details: [{ path: 'quota' }] });
    expect(await statusOf(second(), 1001)).toBe(413);
    expect((await sendPiece(second(), ann, route, 0, Buffer.alloc(QUOTA - 1000))).status).toBe(204);
    expect(await statusOf(first(), 1001)).toBe(413);
    expect(await statusOf(first(), 1000)).toBe(201);
  });

  it('has room again for a resumable upload that was terminated, or whose content was refused', async () => {
    const route = await begunUpload(first(), ann, QUOTA);
    expect((await tus(second(), 'DELETE', route, ann)).status).toBe(204);
    const text = Buffer.alloc(QUOTA, 'x');
    const { headers } = await createUpload(first(), ann, text.length, { filename: 'a.png', kind: 'media' });
    expect((await sendPiece(first(), ann, headers.get('location')!, 0, text)).status).toBe(415);
    expect(await statusOf(first(), QUOTA)).toBe(201);
  });

  it('counts an upload that a request is still bringing, and no longer once that breaks off', async () => {
    const { type, bytes } = multipart([{ content: Buffer.alloc(QUOTA), filename: 'a' }]);
    const headers = { 'Content-Type': type, 'Content-Length': String(bytes.length) };
    const socket = openRequest(first(), 'POST /files', ann, headers);
    socket.write(bytes.subarray(0, 10_000));
    await expect.poll(() => temporaryFiles(nodes[0]!), PATIENCE).toHaveLength(1);
    expect(await statusOf(second(), QUOTA / 2)).toBe(413);
    socket.destroy();
    await expect.poll(() => statusOf(second(), QUOTA), PATIENCE).toBe(201);
  });

  it('has room again for requests that broke off, even before anybody knew whose they were', async () => {
    const { type, bytes } = multipart([{ content: Buffer.alloc(QUOTA), filename: 'a' }]);
    const headers = { 'Content-Type': type, 'Content-Length': String(bytes.length) };
    const breaking = Array.from({ length: 20 }, async (_, i) => {
      const socket = openRequest(first(), 'POST /files', ann, headers);
      socket.on('error', () => {});
      await new Promise((resolve) => setTimeout(resolve, i));
      socket.destroy();
    });
    await Promise.all(breaking);
    await expect.poll(() => statusOf(first(), QUOTA), PATIENCE).toBe(201);
  });

  it('counts pictures by what is stored of them', async () => {
    const image = await picture(600, 400).png({ compressionLevel: 0 }).toBuffer();
    expect(image.length).toBeGreaterThan(QUOTA);
    const { file_size } = await uploaded(first(), ann, '/media', image);
    expect(await statusOf(first(), QUOTA - Number(file_size) + 1)).toBe(413);
    expect(await statusOf(first(), QUOTA - Number(file_size))).toBe(201);
    expect((await upload(first(), ann, '/media', image)).status).toBe(413);
  });

  it('is used up by as many uploads at once as fit, on two nodes', async () => {
    const statuses = await Promise.all(Array.from({ length: 16 }, (_, i) => statusOf(nodes[i % 2]!.url, QUOTA / 8)));
    expect(statuses.toSorted()).toEqual([...Array(8).fill(201), ...Array(8).fill(413)]);
  });

  it('has room again for what a process had under way that was killed', async () => {
    const node = await startProcessForTest({ env });
    const { type, bytes } = multipart([{ content: Buffer.alloc(QUOTA), filename: 'a' }]);
    const headers = { 'Content-Type': type, 'Content-Length': String(bytes.length) };
    const socket = openRequest(node.url, 'POST /files', ann, headers);
    socket.on('error', () => {});
    socket.write(bytes.subarray(0, 10_000));
    await expect.poll(() => temporaryFiles(node), PATIENCE).toHaveLength(1);
    expect(await statusOf(first(), QUOTA)).toBe(413);
    await node.kill();
    await expect.poll(() => statusOf(second(), QUOTA), PATIENCE).toBe(201);
  });
});

it('USER_QUOTA_BYTES=0 is no quota', async () => {
  const node = await startServerForTest({ env: { ...env, USER_QUOTA_BYTES: '0' } });
  for (let i = 0; i < 3; i++) expect(await statusOf(node.url, QUOTA)).toBe(201);
  // And what was stored meanwhile counts where there is one.
  expect(await statusOf(first(), 1)).toBe(413);
});

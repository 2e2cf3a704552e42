import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import sharp from 'sharp';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, registerMany } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { bearer, info, openRequest, PATIENCE, read } from './client.ts';
import { picture } from './samples.ts';
import { temporaryFiles } from './traces.ts';
import { createUpload, sendPiece, tus } from './tus-client.ts';

const SECRET = 'a secret that both nodes share, long enough';
const PIECE = { 'content-type': 'application/offset+octet-stream' };
const MAX_BYTES = 4 * 1024 * 1024;
let database: TestDatabase;
let client: MongoClient;
let nodes: TestServer[];
let ann: Account;
let eve: Account;

beforeAll(async () => {
  database = await startDatabase();
  client = await MongoClient.connect(database.url);
  const env = { MONGODB_URL: database.url, JWT_SECRET: SECRET, MAX_UPLOAD_BYTES: String(MAX_BYTES) };
  nodes = await Promise.all([startServer({ env }), startServer({ env })]);
  [ann, eve] = (await registerMany(nodes[0]!.url, 2)) as [Account, Account];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await client.close();
  await database.stop();
});

const first = () => nodes[0]!.url;
const second = () => nodes[1]!.url;
const create = (size: number, metadata: Record<string, string>) => createUpload(first(), ann, size, metadata);

async function begun(size: number, metadata: Record<string, string>): Promise<string> {
  const { status, headers } = await create(size, metadata);
  expect(status).toBe(201);
  return headers.get('location')!;
}

const send = (base: string, route: string, offset: number, body: Buffer, account = ann) =>
  sendPiece(base, account, route, offset, body);

async function offsetOf(base: string, route: string): Promise<number> {
  return Number((await tus(base, 'HEAD', route, ann)).headers.get('upload-offset'));
}

/** Bytes of the upload that a node is receiving. */
async function bytesReceivedBy(node: TestServer): Promise<number> {
  const [name] = await temporaryFiles(node);
  return name === undefined ? 0 : (await stat(path.join(node.dataDir, 'uploads', name))).size;
}

const fileRoute = (route: string) => route.replace('/uploads/', '/files/');

it('a tus client uploads in pieces; the document has the id of the upload', async () => {
  const content = randomBytes(1_000_000);
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(content, {
      endpoint: `${first()}/uploads`,
      headers: { ...bearer(ann) },
      metadata: { filename: 'Ferien 🎉.bin', kind: 'file' },
      chunkSize: 300_000,
      onError: reject,
      onSuccess: () => resolve(upload.url!),
    });
    upload.start();
  });
  const route = fileRoute(new URL(url).pathname);
  const { json } = await info(first(), ann, route);
  expect(json.file).toMatchObject({ original_filename: 'Ferien 🎉.bin', file_size: content.length });
  expect((await read(second(), route, ann)).bytes.equals(content)).toBe(true);
});

it('an image is processed like any other', async () => {
  const image = await picture(800, 400)
    .withExif({ IFD0: { Copyright: 'SECRET' } })
    .jpeg()
    .toBuffer();
  const route = await begun(image.length, { filename: 'a.jpg', kind: 'media' });
  expect((await send(first(), route, 0, image)).status).toBe(204);
  const media = route.replace('/uploads/', '/media/');
  expect((await info(first(), ann, media)).json.media).toMatchObject({
    media_type: 'image',
    width: 800,
    optimized: true,
  });
  const stored = await read(first(), media, ann);
  expect(stored.bytes.includes('SECRET')).toBe(false);
  expect((await sharp(stored.bytes).metadata()).width).toBe(800);
});

it('pieces may go to different nodes, and a connection may break', async () => {
  const content = randomBytes(1_500_000);
  const route = await begun(content.length, { filename: 'a.bin' });
  expect((await send(first(), route, 0, content.subarray(0, 500_000))).headers.get('upload-offset')).toBe('500000');

  const headers = { ...PIECE, 'tus-resumable': '1.0.0', 'upload-offset': '500000', 'content-length': '1000000' };
  const socket = openRequest(second(), `PATCH ${route}`, ann, headers);
  socket.write(content.subarray(500_000, 900_000));
  await expect.poll(() => bytesReceivedBy(nodes[1]!), PATIENCE).toBeGreaterThan(0);
  socket.destroy();
  await once(socket, 'close');
  await expect.poll(() => offsetOf(first(), route), PATIENCE).toBeGreaterThan(500_000);

  const offset = await offsetOf(first(), route);
  expect((await send(first(), route, offset, content.subarray(offset))).status).toBe(204);
  expect(await offsetOf(second(), route)).toBe(content.length);
  expect((await read(second(), fileRoute(route), ann)).bytes.equals(content)).toBe(true);
  expect(await client.db().collection('pending_uploads').countDocuments()).toBe(0);
});

it('the same piece sent to two nodes at once is stored once', async () => {
  const content = randomBytes(600_000);
  const route = await begun(content.length, { filename: 'a.bin' });
  const half = content.subarray(0, 300_000);
  const answers = await Promise.all([send(first(), route, 0, half), send(second(), route, 0, half)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  const rest = content.subarray(300_000);
  const ends = await Promise.all([send(first(), route, 300_000, rest), send(second(), route, 300_000, rest)]);
  expect(ends.filter(({ status }) => status === 204)).toHaveLength(1);
  expect((await read(first(), fileRoute(route), ann)).bytes.equals(content)).toBe(true);
});

it('an upload refused for its content is gone', async () => {
  const text = Buffer.from('no picture');
  const route = await begun(text.length, { filename: 'a.png', kind: 'media' });
  expect(await send(first(), route, 0, text)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  expect((await tus(first(), 'HEAD', route, ann)).status).toBe(404);
});

it('an upload can be terminated, which removes what was received', async () => {
  const before = await client.db().collection('uploads.files').countDocuments();
  const route = await begun(1000, { filename: 'a.bin' });
  await send(first(), route, 0, Buffer.alloc(400));
  expect((await tus(second(), 'DELETE', route, ann)).status).toBe(204);
  expect((await tus(first(), 'HEAD', route, ann)).status).toBe(404);
  expect(await client.db().collection('uploads.files').countDocuments()).toBe(before);
});

it('an upload is found by its uploader only', async () => {
  const route = await begun(1000, { filename: 'a.bin' });
  expect((await tus(first(), 'HEAD', route, eve)).status).toBe(404);
  expect(await send(first(), route, 0, Buffer.alloc(400), eve)).toMatchObject({ status: 404, code: 'not_found' });
  expect(await tus(first(), 'DELETE', route, eve)).toMatchObject({ status: 404, code: 'not_found' });
  expect(await tus(first(), 'PATCH', route, undefined)).toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(await offsetOf(first(), route)).toBe(0);
});

it.each([
  ['without a name', 10, { kind: 'file' }, 400, 'validation_failed'],
  ['of an unknown kind', 10, { filename: 'a', kind: 'folder' }, 400, 'validation_failed'],
  ['of nothing', 0, { filename: 'a' }, 400, 'validation_failed'],
  ['of a name that is too long', 10, { filename: 'x'.repeat(256) }, 400, 'validation_failed'],
  ['of too many bytes', MAX_BYTES + 1, { filename: 'a' }, 413, 'payload_too_large'],
] as [string, number, Record<string, string>, number, string][])(
  'an upload %s is refused at once',
  async (_name, size, metadata, status, code) => {
    expect(await create(size, metadata)).toMatchObject({ status, code });
  },
);

it('a piece at the wrong offset, or beyond the declared length, is refused', async () => {
  const route = await begun(1000, { filename: 'a.bin' });
  expect(await send(first(), route, 5, Buffer.alloc(10))).toMatchObject({ status: 409, code: 'conflict' });
  expect(await send(first(), route, 0, Buffer.alloc(2000))).toMatchObject({ status: 413, code: 'payload_too_large' });
  expect(await offsetOf(first(), route)).toBe(0);
});

it('a client of another protocol version is told the supported one', async () => {
  const answer = await fetch(`${first()}/uploads`, { method: 'OPTIONS' });
  expect([answer.status, answer.headers.get('tus-version')]).toEqual([204, '1.0.0']);
  const old = await tus(first(), 'POST', '/uploads', ann, { 'tus-resumable': '0.2.2', 'upload-length': '5' });
  expect([old.status, old.code, old.headers.get('tus-version')]).toEqual([412, 'validation_failed', '1.0.0']);
});

it('a piece without its content type or offset is refused', async () => {
  const route = await begun(1000, { filename: 'a.bin' });
  const piece = (headers: Record<string, string>) => tus(first(), 'PATCH', route, ann, headers, Buffer.alloc(10));
  const text = { 'upload-offset': '0', 'content-type': 'text/plain' };
  expect(await piece(text)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  expect(await piece(PIECE)).toMatchObject({ status: 400, code: 'validation_failed' });
  expect(await offsetOf(first(), route)).toBe(0);
});

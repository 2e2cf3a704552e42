import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import sharp from 'sharp';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmbedded } from '../../server/embedded/start.ts';
import { type Account, registerMany } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { info, read } from './client.ts';
import { picture } from './samples.ts';

const SECRET = 'a secret that both nodes share, long enough';
const MAX_BYTES = 4 * 1024 * 1024;
let directory: string;
let embedded: Awaited<ReturnType<typeof startEmbedded>>;
let client: MongoClient;
let nodes: TestServer[];
let ann: Account;
let eve: Account;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'letsapp-resumable-'));
  embedded = await startEmbedded({ dataDir: directory });
  client = await MongoClient.connect(embedded.url);
  const env = { MONGODB_URL: embedded.url, JWT_SECRET: SECRET, MAX_UPLOAD_BYTES: String(MAX_BYTES) };
  nodes = [await startServer({ env }), await startServer({ env })];
  [ann, eve] = (await registerMany(nodes[0]!.url, 2)) as [Account, Account];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await client.close();
  await embedded.close();
  await rm(directory, { recursive: true });
});

const first = () => nodes[0]!.url;
const second = () => nodes[1]!.url;
const encode = (metadata: Record<string, string>) =>
  Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');

async function tus(
  base: string,
  method: string,
  route: string,
  account: Account | undefined,
  headers = {},
  body?: Buffer,
) {
  const response = await fetch(base + route, {
    method,
    headers: {
      'tus-resumable': '1.0.0',
      ...(account ? { authorization: `Bearer ${account.access_token}` } : {}),
      ...headers,
    },
    ...(body ? { body } : {}),
    signal: AbortSignal.timeout(20_000),
  });
  const json = (await response.json().catch(() => undefined)) as { error?: { code: string } } | undefined;
  return { status: response.status, headers: response.headers, code: json?.error?.code };
}

const create = (size: number, metadata: Record<string, string>, account = ann) =>
  tus(first(), 'POST', '/uploads', account, { 'upload-length': String(size), 'upload-metadata': encode(metadata) });

async function begun(size: number, metadata: Record<string, string>): Promise<string> {
  const { status, headers } = await create(size, metadata);
  expect(status).toBe(201);
  return headers.get('location')!;
}

const send = (base: string, route: string, offset: number, body: Buffer, account = ann) =>
  tus(
    base,
    'PATCH',
    route,
    account,
    { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    body,
  );

async function offsetOf(base: string, route: string): Promise<number> {
  return Number((await tus(base, 'HEAD', route, ann)).headers.get('upload-offset'));
}

const fileRoute = (route: string) => route.replace('/uploads/', '/files/');

it('an ordinary client uploads in pieces; the document has the id of the upload', async () => {
  const content = randomBytes(1_000_000);
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(content, {
      endpoint: `${first()}/uploads`,
      headers: { authorization: `Bearer ${ann.access_token}` },
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

it('a picture goes the way of all pictures', async () => {
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

it('pieces may go to different nodes, and a line may break', async () => {
  const content = randomBytes(1_500_000);
  const route = await begun(content.length, { filename: 'a.bin' });
  expect((await send(first(), route, 0, content.subarray(0, 500_000))).headers.get('upload-offset')).toBe('500000');

  const { hostname, port } = new URL(second());
  const socket = connectTcp(Number(port), hostname);
  socket.write(
    `PATCH ${route} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${ann.access_token}\r\n` +
      'Tus-Resumable: 1.0.0\r\nUpload-Offset: 500000\r\nContent-Type: application/offset+octet-stream\r\n' +
      'Content-Length: 1000000\r\n\r\n',
  );
  socket.write(content.subarray(500_000, 900_000));
  // What lies in the second node's folder has been received.
  await expect.poll(() => readdir(path.join(nodes[1]!.dataDir, 'uploads')).catch(() => [])).toHaveLength(1);
  socket.destroy();
  await once(socket, 'close');
  await expect.poll(() => offsetOf(first(), route)).toBeGreaterThan(500_000);

  const offset = await offsetOf(first(), route);
  expect((await send(first(), route, offset, content.subarray(offset))).status).toBe(204);
  expect(await offsetOf(second(), route)).toBe(content.length);
  expect((await read(second(), fileRoute(route), ann)).bytes.equals(content)).toBe(true);
  expect(await client.db().collection('pending_uploads').countDocuments()).toBe(0);
});

it('the same piece sent to two nodes at once arrives once', async () => {
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

it('what an upload turns out to be can be refused, and then it is gone', async () => {
  const text = Buffer.from('no picture');
  const route = await begun(text.length, { filename: 'a.png', kind: 'media' });
  expect(await send(first(), route, 0, text)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  expect((await tus(first(), 'HEAD', route, ann)).status).toBe(404);
});

it('an upload can be given up, with all that was received', async () => {
  const before = await client.db().collection('uploads.files').countDocuments();
  const route = await begun(1000, { filename: 'a.bin' });
  await send(first(), route, 0, Buffer.alloc(400));
  expect((await tus(second(), 'DELETE', route, ann)).status).toBe(204);
  expect((await tus(first(), 'HEAD', route, ann)).status).toBe(404);
  expect(await client.db().collection('uploads.files').countDocuments()).toBe(before);
});

it('an upload is its maker’s alone', async () => {
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
  ['of too much', MAX_BYTES + 1, { filename: 'a' }, 413, 'payload_too_large'],
] as [string, number, Record<string, string>, number, string][])(
  'an upload %s is refused at its beginning',
  async (_name, size, metadata, status, code) => {
    expect(await create(size, metadata)).toMatchObject({ status, code });
  },
);

it('a piece in the wrong place, or longer than was said, is refused', async () => {
  const route = await begun(1000, { filename: 'a.bin' });
  expect(await send(first(), route, 5, Buffer.alloc(10))).toMatchObject({ status: 409, code: 'conflict' });
  expect(await send(first(), route, 0, Buffer.alloc(2000))).toMatchObject({ status: 413, code: 'payload_too_large' });
  expect(await offsetOf(first(), route)).toBe(0);
});

it('a client of another version is told which one is spoken', async () => {
  const answer = await fetch(`${first()}/uploads`, { method: 'OPTIONS' });
  expect([answer.status, answer.headers.get('tus-version')]).toEqual([204, '1.0.0']);
  const old = await tus(first(), 'POST', '/uploads', ann, { 'tus-resumable': '0.2.2', 'upload-length': '5' });
  expect([old.status, old.code, old.headers.get('tus-version')]).toEqual([412, 'validation_failed', '1.0.0']);
});

it('a piece that is not sent as one is refused', async () => {
  const route = await begun(1000, { filename: 'a.bin' });
  const piece = (headers: Record<string, string>) => tus(first(), 'PATCH', route, ann, headers, Buffer.alloc(10));
  const text = { 'upload-offset': '0', 'content-type': 'text/plain' };
  expect(await piece(text)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  const nowhere = { 'content-type': 'application/offset+octet-stream' };
  expect(await piece(nowhere)).toMatchObject({ status: 400, code: 'validation_failed' });
  expect(await offsetOf(first(), route)).toBe(0);
});

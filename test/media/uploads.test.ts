import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { MongoClient } from 'mongodb';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../../server/embedded/start.ts';
import { type Account, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Body, multipart, post, read, upload, uploaded } from './client.ts';
import { animation, picture, pngOfClaimedSize, sample } from './samples.ts';

const MAX_BYTES = 2 * 1024 * 1024;
let embedded: Awaited<ReturnType<typeof startEmbedded>>;
let server: TestServer;
let client: MongoClient;
let ann: Account;

beforeAll(async () => {
  const url = process.env.MONGODB_URL;
  const directory = path.join(process.env.TMPDIR ?? '/tmp', `letsapp-uploads-${process.pid}-${Date.now()}`);
  embedded = await startEmbedded({ dataDir: directory });
  const mongodbUrl = url ?? embedded.url;
  client = await MongoClient.connect(mongodbUrl);
  server = await startServer({ env: { MONGODB_URL: mongodbUrl, MAX_UPLOAD_BYTES: String(MAX_BYTES) } });
  ann = await register(server.url);
});
afterAll(async () => {
  await server.stop();
  await client.close();
  await embedded.close();
});

const schema = JSON.parse(
  await readFile(path.resolve(import.meta.dirname, '../../shared/letsapp.schema.json'), 'utf8'),
) as object;
const ajv = new Ajv({ strict: false });
addFormats.default(ajv);
ajv.addSchema(schema, 'letsapp');

/** Everything that uploads have left, anywhere. */
async function traces(): Promise<Record<string, number | string[]>> {
  const db = client.db();
  const count = (name: string) => db.collection(name).countDocuments();
  return {
    media: await count('media'),
    files: await count('files'),
    pending: await count('pending_uploads'),
    stored: await count('uploads.files'),
    chunks: await count('uploads.chunks'),
    temporary: await readdir(path.join(server.dataDir, 'uploads')).catch(() => []),
  };
}

describe('an accepted upload', () => {
  it('of an image is told with its size and thumbnail', async () => {
    const image = await picture(640, 320).jpeg().toBuffer();
    const { status, json } = await upload(server.url, ann, '/media', image, 'holiday.jpg');
    expect(status).toBe(201);
    expect(json.media).toMatchObject({
      original_filename: 'holiday.jpg',
      media_type: 'image',
      mime_type: 'image/jpeg',
      width: 640,
      height: 320,
      optimized: true,
      view_count: 0,
      is_deleted: false,
      uploader_id: ann.id,
    });
    expect(json.media.filename).toMatch(/^[0-9a-f]{24}\.jpg$/);
    const stored = await read(server.url, `/media/${json.media._id}`, ann);
    expect(stored.bytes.length).toBe(json.media.file_size);
    expect(await sharp(stored.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 320 });
    const thumbnail = await read(server.url, `/media/${json.media._id}/thumbnail`, ann);
    expect(thumbnail.headers.get('content-type')).toBe('image/webp');
    expect(await sharp(thumbnail.bytes).metadata()).toMatchObject({ format: 'webp', width: 512, height: 256 });
  });

  it('of an animation is one still', async () => {
    const media = await uploaded(server.url, ann, '/media', await animation('gif'), 'wave.gif');
    const { bytes } = await read(server.url, `/media/${media._id}`, ann);
    expect((await sharp(bytes, { animated: true }).metadata()).pages).toBe(3);
  });

  it.each([
    ['film.mp4', 'video'],
    ['film.webm', 'video'],
    ['voice.webm', 'audio'],
    ['voice.ogg', 'audio'],
  ] as const)('of %s is %s, stored as it came', async (name, mediaType) => {
    const content = await sample(name);
    const media = await uploaded(server.url, ann, '/media', content, name);
    expect(media).toMatchObject({ media_type: mediaType, file_size: content.length, duration: expect.closeTo(2, 0) });
    const stored = await read(server.url, `/media/${media._id}`, ann);
    expect(stored.bytes.equals(content)).toBe(true);
    expect((await read(server.url, `/media/${media._id}/thumbnail`, ann)).status).toBe(404);
  });

  it('of any file is stored as it came, whatever it is', async () => {
    const image = await picture()
      .withExif({ IFD0: { Copyright: 'kept' } })
      .jpeg()
      .toBuffer();
    for (const content of [image, Buffer.from('%PDF-1.7\nbroken'), Buffer.from([0, 1, 2]), image.subarray(0, 200)]) {
      const file = await uploaded(server.url, ann, '/files', content, 'any.thing');
      expect(file).toMatchObject({ file_size: content.length, download_count: 0 });
      expect((await read(server.url, `/files/${file._id}`, ann)).bytes.equals(content)).toBe(true);
    }
  });

  it('validates against the data schema', async () => {
    const media = await uploaded(server.url, ann, '/media', await picture().png().toBuffer());
    const file = await uploaded(server.url, ann, '/files', 'text');
    for (const [definition, document] of [
      ['Media', media],
      ['File', file],
    ] as const) {
      const validate = ajv.compile({ $ref: `letsapp#/definitions/${definition}` });
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
      expect(
        Object.keys(document).filter((name) => ['stored', 'unsent', 'used_at', 'thumbnail_size'].includes(name)),
      ).toEqual([]);
    }
  });

  it('is of the largest size allowed', async () => {
    const file = await uploaded(server.url, ann, '/files', Buffer.alloc(MAX_BYTES, 7));
    expect(file.file_size).toBe(MAX_BYTES);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\\\Users\\\\ann\\\\cv.doc', 'cv.doc'],
    ['Grüße 🎉.txt', 'Grüße 🎉.txt'],
    ['a\tb\u0007c.txt', 'abc.txt'],
    ['cod\u202egpj.exe', 'codgpj.exe'],
    ['say %22hi%22%0D%0A.txt', 'say "hi".txt'],
    ['100%.txt', '100%.txt'],
    ['..', 'file'],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('keeps of the name %j what is a name', async (filename, expected) => {
    const body = multipart([{ content: 'x', filename }]);
    const { status, json } = await post(server.url, '/files', ann, body);
    expect([status, json.file?.original_filename]).toEqual([201, expected]);
  });
});

describe('a refused upload leaves nothing behind', () => {
  const png = picture().png().toBuffer();
  const good = async () => ({ content: await png, filename: 'a.png' });
  const cases: [string, '/media' | '/files', () => Promise<Body> | Body, number, string][] = [
    ['no part', '/media', () => multipart([]), 400, 'validation_failed'],
    [
      'an empty body',
      '/files',
      () => ({ type: 'multipart/form-data; boundary=x', bytes: Buffer.alloc(0) }),
      400,
      'validation_failed',
    ],
    ['two files', '/media', async () => multipart([await good(), await good()]), 400, 'validation_failed'],
    [
      'a file and a field',
      '/files',
      async () => multipart([await good(), { content: 'v', field: 'note', type: 'text/plain' }]),
      400,
      'validation_failed',
    ],
    [
      'a field before the file',
      '/files',
      async () => multipart([{ content: 'v', field: 'note', type: 'text/plain' }, await good()]),
      400,
      'validation_failed',
    ],
    [
      'a part of another name',
      '/files',
      async () => multipart([{ ...(await good()), field: 'upload' }]),
      400,
      'validation_failed',
    ],
    ['a part without a file name', '/files', () => multipart([{ content: 'x' }]), 400, 'validation_failed'],
    [
      'bytes without a file name',
      '/files',
      () => multipart([{ content: 'x', type: 'application/octet-stream' }]),
      400,
      'validation_failed',
    ],
    ['an empty file name', '/files', () => multipart([{ content: 'x', filename: '' }]), 400, 'validation_failed'],
    [
      'a name of 256 characters',
      '/files',
      () => multipart([{ content: 'x', filename: 'x'.repeat(256) }]),
      400,
      'validation_failed',
    ],
    ['an empty file', '/files', () => multipart([{ content: '', filename: 'a' }]), 400, 'validation_failed'],
    [
      'no boundary',
      '/files',
      async () => ({ ...multipart([await good()]), type: 'multipart/form-data' }),
      400,
      'validation_failed',
    ],
    [
      'a body that breaks off',
      '/files',
      async () => {
        const body = multipart([await good()]);
        return { ...body, bytes: body.bytes.subarray(0, -30) };
      },
      400,
      'validation_failed',
    ],
    [
      'another kind of body',
      '/files',
      () => ({ type: 'application/json', bytes: Buffer.from('{}') }),
      415,
      'unsupported_media_type',
    ],
    [
      'JSON that is none',
      '/media',
      () => ({ type: 'application/json', bytes: Buffer.from('{') }),
      415,
      'unsupported_media_type',
    ],
    [
      'a long body of another kind',
      '/files',
      () => ({ type: 'application/json', bytes: Buffer.alloc(300 * 1024, ' ') }),
      415,
      'unsupported_media_type',
    ],
    [
      'a form that is not multipart',
      '/files',
      () => ({ type: 'application/x-www-form-urlencoded', bytes: Buffer.from('file=x') }),
      415,
      'unsupported_media_type',
    ],
    [
      'one byte too many',
      '/files',
      () => multipart([{ content: Buffer.alloc(MAX_BYTES + 1), filename: 'a' }]),
      413,
      'payload_too_large',
    ],
    [
      'far too many bytes',
      '/media',
      () => multipart([{ content: Buffer.alloc(4 * MAX_BYTES), filename: 'a.png' }]),
      413,
      'payload_too_large',
    ],
    [
      'text with the name of a picture',
      '/media',
      () => multipart([{ content: 'no picture', filename: 'a.png', type: 'image/png' }]),
      415,
      'unsupported_media_type',
    ],
    [
      'a drawing',
      '/media',
      () =>
        multipart([
          {
            content: '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
            filename: 'a.svg',
            type: 'image/svg+xml',
          },
        ]),
      415,
      'unsupported_media_type',
    ],
    [
      'an archive',
      '/media',
      () => multipart([{ content: Buffer.from('504b0304140000000000', 'hex'), filename: 'a.png' }]),
      415,
      'unsupported_media_type',
    ],
    [
      'a picture that nobody decodes',
      '/media',
      () => multipart([{ content: Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), filename: 'a.bmp' }]),
      415,
      'unsupported_media_type',
    ],
    [
      'half a picture',
      '/media',
      async () => multipart([{ content: (await png).subarray(0, 60), filename: 'a.png' }]),
      400,
      'validation_failed',
    ],
    [
      'half a scan',
      '/media',
      async () => {
        const tiff = await picture(200, 200).tiff({ compression: 'none' }).toBuffer();
        return multipart([{ content: tiff.subarray(0, tiff.length / 2), filename: 'a.tif' }]);
      },
      400,
      'validation_failed',
    ],
    [
      'half a film',
      '/media',
      async () => multipart([{ content: (await sample('film.mp4')).subarray(0, 5000), filename: 'a.mp4' }]),
      400,
      'validation_failed',
    ],
    [
      'a picture that says it is huge',
      '/media',
      async () => multipart([{ content: await pngOfClaimedSize(50_000, 50_000), filename: 'a.png' }]),
      413,
      'payload_too_large',
    ],
  ];

  it.each(cases)('%s at %s', async (_name, route, body, status, code) => {
    const before = await traces();
    const answer = await post(server.url, route, ann, await body());
    expect([answer.status, answer.json?.error?.code]).toEqual([status, code]);
    expect(await traces()).toEqual(before);
  });

  it('of a stranger', async () => {
    const before = await traces();
    const answer = await post(server.url, '/media', undefined, multipart([await good()]));
    expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated']);
    expect(await traces()).toEqual(before);
  });

  it('of a client that goes away in the middle', async () => {
    const before = await traces();
    const { hostname, port } = new URL(server.url);
    const { type, bytes } = multipart([{ content: Buffer.alloc(MAX_BYTES / 2), filename: 'a' }]);
    const socket = connectTcp(Number(port), hostname);
    socket.write(
      `POST /files HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${ann.access_token}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, bytes.length / 2));
    await expect.poll(async () => (await traces()).temporary).not.toEqual([]);
    socket.destroy();
    await once(socket, 'close');
    await expect.poll(traces, { timeout: 10_000 }).toEqual(before);
  });
});

it('a hundred uploads at once all arrive', async () => {
  const image = await picture(300, 200).png().toBuffer();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      i % 2 ? upload(server.url, ann, '/files', `text ${i}`) : upload(server.url, ann, '/media', image),
    ),
  );
  expect(answers.filter(({ status }) => status !== 201).map(({ status, json }) => [status, json])).toEqual([]);
  expect((await traces()).temporary).toEqual([]);
  expect((await traces()).pending).toBe(0);
});

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, register } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { multipart, post, read, upload, uploaded } from './client.ts';
import { animation, picture, sample } from './samples.ts';
import { type ObservedServer, startObserved } from './traces.ts';

const MAX_BYTES = 2 * 1024 * 1024;
let observed: ObservedServer;
let server: TestServer;
let ann: Account;

beforeAll(async () => {
  observed = await startObserved({ MAX_UPLOAD_BYTES: String(MAX_BYTES) });
  server = observed.server;
  ann = await register(server.url);
});
afterAll(() => observed.stop());

/** Checks a document against a definition of the data schema. */
async function schemaErrors(definition: string, document: object): Promise<unknown> {
  const schema = path.resolve(import.meta.dirname, '../../shared/letsapp.schema.json');
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(JSON.parse(await readFile(schema, 'utf8')) as object, 'letsapp');
  const validate = ajv.compile({ $ref: `letsapp#/definitions/${definition}` });
  return validate(document) ? undefined : validate.errors;
}

describe('an accepted upload', () => {
  it('of an image has its size and a thumbnail', async () => {
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

  it('of an animation stays animated', async () => {
    const media = await uploaded(server.url, ann, '/media', await animation('gif'), 'wave.gif');
    const { bytes } = await read(server.url, `/media/${media._id}`, ann);
    expect((await sharp(bytes, { animated: true }).metadata()).pages).toBe(3);
  });

  it.each([
    ['film.mp4', 'video'],
    ['film.webm', 'video'],
    ['voice.webm', 'audio'],
    ['voice.ogg', 'audio'],
  ] as const)('of %s is %s, stored unchanged', async (name, mediaType) => {
    const content = await sample(name);
    const media = await uploaded(server.url, ann, '/media', content, name);
    expect(media).toMatchObject({ media_type: mediaType, file_size: content.length, duration: expect.closeTo(2, 0) });
    const stored = await read(server.url, `/media/${media._id}`, ann);
    expect(stored.bytes.equals(content)).toBe(true);
    expect((await read(server.url, `/media/${media._id}/thumbnail`, ann)).status).toBe(404);
  });

  it('of any file is stored unchanged, whatever it is', async () => {
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

  it('follows the data schema', async () => {
    const media = await uploaded(server.url, ann, '/media', await picture().png().toBuffer());
    const file = await uploaded(server.url, ann, '/files', 'text');
    for (const [definition, document] of [
      ['Media', media],
      ['File', file],
    ] as const) {
      expect(await schemaErrors(definition, document)).toBe(undefined);
      expect(
        Object.keys(document).filter((name) => ['stored', 'unsent', 'used_at', 'thumbnail_size'].includes(name)),
      ).toEqual([]);
    }
  });

  it('may have the largest size allowed', async () => {
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
  ])('keeps what is harmless of the name %j', async (filename, expected) => {
    const body = multipart([{ content: 'x', filename }]);
    const { status, json } = await post(server.url, '/files', ann, body);
    expect([status, json.file?.original_filename]).toEqual([201, expected]);
  });
});

describe('of filename and filename* the second counts', () => {
  const star = `UTF-8''%E6%96%B0%E6%96%87.txt`;
  it.each([
    ['alone', `filename*=${star}`],
    ['behind the other', `filename="fallback.txt"; filename*=${star}`],
    ['before the other', `filename*=${star}; filename="fallback.txt"`],
    ['in quotes', `filename="fallback.txt"; filename*="${star}"`],
    ['in quotes and first', `filename*="${star}"; filename=fallback.txt`],
    ['behind an encoded word', `filename="=?utf-8?B?5paw5paHLnR4dA==?="; filename*=utf-8''%e6%96%b0%E6%96%87.txt`],
    ['in other letters and with a language', `FileName=fallback.txt ;FILENAME* = utf-8'zh'%E6%96%B0%E6%96%87.txt`],
    ['with bytes that nobody escaped', `filename*=UTF-8''新文.txt`],
  ])('%s', async (_name, names) => {
    const body = multipart([{ content: 'x', disposition: `form-data; name="file"; ${names}` }]);
    const { status, json } = await post(server.url, '/files', ann, body);
    expect([status, json.file?.original_filename]).toEqual([201, '新文.txt']);
  });

  it.each([
    ['empty', `filename="a b.txt"; filename*=UTF-8''`, 'a b.txt'],
    ['without a charset', `filename="a b.txt"; filename*=other.txt`, 'a b.txt'],
    ['of an unknown charset', `filename*=klingon''other.txt; filename="a b.txt"`, 'a b.txt'],
    ['missing', 'filename=a b.txt', 'a b.txt'],
    ['a path', `filename="a.txt"; filename*=UTF-8''..%2F..%5Cetc%2Fpasswd`, 'passwd'],
    ['in another charset', `filename*=ISO-8859-1''Gr%FC%DFe.txt`, 'Grüße.txt'],
    ['escaped, but not for a browser', `filename*=UTF-8''100%25%22.txt`, '100%".txt'],
    ['escaped by mistake', `filename*=UTF-8''100%-%zz.txt`, '100%-%zz.txt'],
  ])('unless it is %s', async (_name, names, expected) => {
    const body = multipart([{ content: 'x', disposition: `form-data; name=file; ${names}` }]);
    const { status, json } = await post(server.url, '/files', ann, body);
    expect([status, json.file?.original_filename]).toEqual([201, expected]);
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
  expect(await observed.traces()).toMatchObject({ temporary: [], pending: 0 });
});

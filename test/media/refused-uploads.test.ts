import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, register } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { type Body, multipart, openRequest, PATIENCE, type Part, post } from './client.ts';
import { picture, pngOfClaimedSize, sample } from './samples.ts';
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

const png = picture().png().toBuffer();
const good = async (): Promise<Part> => ({ content: await png, filename: 'a.png' });
const note: Part = { content: 'v', field: 'note', type: 'text/plain' };
const json = (bytes: Buffer | string): Body => ({ type: 'application/json', bytes: Buffer.from(bytes) });
const ofType = (type: string, bytes = ''): Body => ({ type, bytes: Buffer.from(bytes) });

const SVG = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>';
const ZIP = Buffer.from('504b0304140000000000', 'hex');
const BMP = Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]);
const bomb = () => pngOfClaimedSize(50_000, 50_000);
const disposed = (names: string) => multipart([{ content: 'x', disposition: `form-data; name="file"; ${names}` }]);
const truncated = ({ type, bytes }: Body): Body => ({ type, bytes: bytes.subarray(0, -30) });
const halfVideo = async () => (await sample('film.mp4')).subarray(0, 5000);

async function halfTiff(): Promise<Buffer> {
  const tiff = await picture(200, 200).tiff({ compression: 'none' }).toBuffer();
  return tiff.subarray(0, tiff.length / 2);
}

type Case = [name: string, route: '/media' | '/files', body: () => Promise<Body> | Body];

const INVALID: Case[] = [
  ['no part', '/media', () => multipart([])],
  ['an empty body', '/files', () => ofType('multipart/form-data; boundary=x')],
  ['two files', '/media', async () => multipart([await good(), await good()])],
  ['a file and a field', '/files', async () => multipart([await good(), note])],
  ['a field before the file', '/files', async () => multipart([note, await good()])],
  ['a part of another name', '/files', async () => multipart([{ ...(await good()), field: 'upload' }])],
  ['a part without a file name', '/files', () => multipart([{ content: 'x' }])],
  ['bytes without a file name', '/files', () => multipart([{ content: 'x', type: 'application/octet-stream' }])],
  ['an empty file name', '/files', () => multipart([{ content: 'x', filename: '' }])],
  [
    'a longer name of 256 characters',
    '/files',
    () => disposed(`filename="a"; filename*=UTF-8''${'%C3%A4'.repeat(256)}`),
  ],
  [
    'a part that is no form data',
    '/files',
    () => multipart([{ content: 'x', disposition: 'file; name=file; filename=a' }]),
  ],
  ['a name of 256 characters', '/files', () => multipart([{ content: 'x', filename: 'x'.repeat(256) }])],
  ['an empty file', '/files', () => multipart([{ content: '', filename: 'a' }])],
  ['no boundary', '/files', async () => ({ ...multipart([await good()]), type: 'multipart/form-data' })],
  ['a body that breaks off', '/files', async () => truncated(multipart([await good()]))],
  ['half an image', '/media', async () => multipart([{ content: (await png).subarray(0, 60), filename: 'a.png' }])],
  ['half a TIFF', '/media', async () => multipart([{ content: await halfTiff(), filename: 'a.tif' }])],
  ['half a video', '/media', async () => multipart([{ content: await halfVideo(), filename: 'a.mp4' }])],
];

const UNSUPPORTED: Case[] = [
  ['JSON', '/files', () => json('{}')],
  ['malformed JSON', '/media', () => json('{')],
  ['a long body of another type', '/files', () => json(Buffer.alloc(300 * 1024, ' '))],
  ['a form that is not multipart', '/files', () => ofType('application/x-www-form-urlencoded', 'file=x')],
  ['text named like an image', '/media', () => multipart([{ content: 'text', filename: 'a.png', type: 'image/png' }])],
  ['an SVG', '/media', () => multipart([{ content: SVG, filename: 'a.svg', type: 'image/svg+xml' }])],
  ['an archive', '/media', () => multipart([{ content: ZIP, filename: 'a.png' }])],
  ['an image that is not decoded', '/media', () => multipart([{ content: BMP, filename: 'a.bmp' }])],
];

const TOO_LARGE: Case[] = [
  ['one byte too many', '/files', () => multipart([{ content: Buffer.alloc(MAX_BYTES + 1), filename: 'a' }])],
  ['far too many bytes', '/media', () => multipart([{ content: Buffer.alloc(4 * MAX_BYTES), filename: 'a.png' }])],
  ['too many pixels', '/media', async () => multipart([{ content: await bomb(), filename: 'a.png' }])],
];

describe.each([
  [400, 'validation_failed', INVALID],
  [415, 'unsupported_media_type', UNSUPPORTED],
  [413, 'payload_too_large', TOO_LARGE],
] as const)('refused with %i %s, leaving nothing behind', (status, code, cases) => {
  it.each(cases)('%s at %s', async (_name, route, body) => {
    const before = await observed.traces();
    const answer = await post(server.url, route, ann, await body());
    expect([answer.status, answer.json?.error?.code]).toEqual([status, code]);
    expect(await observed.traces()).toEqual(before);
  });
});

it('an upload without a bearer leaves nothing behind', async () => {
  const before = await observed.traces();
  const answer = await post(server.url, '/media', undefined, multipart([await good()]));
  expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated']);
  expect(await observed.traces()).toEqual(before);
});

it('an upload whose client goes away leaves nothing behind', async () => {
  const before = await observed.traces();
  const { type, bytes } = multipart([{ content: Buffer.alloc(MAX_BYTES / 2), filename: 'a' }]);
  const headers = { 'Content-Type': type, 'Content-Length': String(bytes.length) };
  const socket = openRequest(server.url, 'POST /files', ann, headers);
  socket.write(bytes.subarray(0, bytes.length / 2));
  await expect.poll(async () => (await observed.traces()).temporary, PATIENCE).not.toEqual([]);
  socket.destroy();
  await once(socket, 'close');
  await expect.poll(observed.traces, PATIENCE).toEqual(before);
});

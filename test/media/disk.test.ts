import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { openRequest, PATIENCE, read, upload, uploaded } from './client.ts';
import { noise, picture } from './samples.ts';
import { temporaryFiles } from './traces.ts';
import { begunUpload, createUpload, sendPiece, tus } from './tus-client.ts';

const MIB = 1024 * 1024;
/** The database is elsewhere: only temporary files are on the small disk. */
let database: TestDatabase;
let disk: SmallDisk;

beforeAll(async () => {
  database = await startDatabase();
  disk = mountSmallDisk(16 * MIB);
});
afterAll(async () => {
  disk?.unmount();
  await database?.stop();
});
beforeEach(() => disk.empty());

const settings = (minFree: number) => ({
  env: { MONGODB_URL: database.url, MIN_FREE_BYTES: String(minFree) },
  dataDir: path.join(disk.folder, 'data'),
});

const FORM_START = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
const TUS = {
  'Tus-Resumable': '1.0.0',
  'Upload-Length': String(MIB),
  'Upload-Metadata': 'filename YQ==',
  'Content-Type': 'application/offset+octet-stream',
};
const UNAVAILABLE = { status: 503, code: 'unavailable' };
async function outcome(answer: ReturnType<typeof upload>) {
  const { status, json } = await answer;
  return { status, code: json?.error?.code };
}

describe('on a disk that runs full, without anything to be kept free', () => {
  let server: ServerProcess;
  let ann: Account;
  let bob: Device;
  beforeAll(async () => {
    server = await startServerProcess(settings(0));
    ann = await register(server.url);
    bob = await connect(server.url, await register(server.url));
  });
  afterAll(async () => {
    bob?.close();
    await server?.kill();
  });

  const answersOthers = () => bob.ok('message:send', { recipient_id: ann.id, content: 'still there' });

  it('a resumable upload is unavailable, leaves nothing, and goes on once there is room', async () => {
    const content = Buffer.alloc(6 * MIB, 'x');
    const route = await begunUpload(server.url, ann, content.length);
    expect((await sendPiece(server.url, ann, route, 0, content.subarray(0, MIB))).status).toBe(204);
    await disk.leave(2 * MIB);
    for (let i = 0; i < 3; i++) {
      expect(await sendPiece(server.url, ann, route, MIB, content.subarray(MIB))).toMatchObject(UNAVAILABLE);
    }
    expect(await temporaryFiles(server)).toEqual([]);
    await answersOthers();
    expect((await tus(server.url, 'HEAD', route, ann)).headers.get('upload-offset')).toBe(String(MIB));
    await disk.empty();
    expect((await sendPiece(server.url, ann, route, MIB, content.subarray(MIB))).status).toBe(204);
    expect((await read(server.url, route.replace('/uploads/', '/files/'), ann)).bytes.equals(content)).toBe(true);
  });

  it('the joining of its pieces is unavailable, and so is an upload in a form', async () => {
    const content = Buffer.alloc(6 * MIB);
    const route = await begunUpload(server.url, ann, content.length);
    expect((await sendPiece(server.url, ann, route, 0, content.subarray(0, 5 * MIB))).status).toBe(204);
    await disk.leave(4 * MIB);
    expect(await sendPiece(server.url, ann, route, 5 * MIB, content.subarray(5 * MIB))).toMatchObject(UNAVAILABLE);
    expect(await outcome(upload(server.url, ann, '/files', content))).toEqual(UNAVAILABLE);
    expect(await temporaryFiles(server)).toEqual([]);
    await answersOthers();
  });

  it('a picture that has room only as it came is unavailable, not damaged', async () => {
    const image = await noise(900).png().toBuffer();
    await disk.leave(image.length + 64 * 1024);
    expect(await outcome(upload(server.url, ann, '/media', image))).toEqual(UNAVAILABLE);
    expect(await temporaryFiles(server)).toEqual([]);
    await answersOthers();
  });

  it('a full disk is said by /readyz, while the server serves', async () => {
    await expect
      .poll(async () => (await http(server.url, 'GET', '/readyz')).json, PATIENCE)
      .toMatchObject({ status: 'ok', disk: 'ok' });
    await disk.leave(0);
    await expect
      .poll(async () => (await http(server.url, 'GET', '/readyz')).json, PATIENCE)
      .toMatchObject({ status: 'degraded', disk: 'full' });
    expect((await http(server.url, 'GET', '/readyz')).status).toBe(200);
    await answersOthers();
  });
});

describe('with less than MIN_FREE_BYTES free', () => {
  it('uploads of every kind are unavailable, all else goes on, and they come back by themselves', async () => {
    const server = await startProcessForTest(settings(8 * MIB));
    const ann = await register(server.url);
    const bob = await connect(server.url, await register(server.url));
    const file = await uploaded(server.url, ann, '/files', 'from before');
    const route = await begunUpload(server.url, ann, 10);
    const disksState = async () => (await http(server.url, 'GET', '/readyz')).json.disk;

    await disk.leave(6 * MIB);
    await expect.poll(disksState, PATIENCE).toBe('low');
    expect((await http(server.url, 'GET', '/readyz')).json).toMatchObject({ status: 'degraded', mongodb: true });
    expect(await outcome(upload(server.url, ann, '/files', 'x'))).toEqual(UNAVAILABLE);
    expect(await outcome(upload(server.url, ann, '/media', await picture(9, 9).png().toBuffer()))).toEqual(UNAVAILABLE);
    expect(await createUpload(server.url, ann, 10, { filename: 'a' })).toMatchObject(UNAVAILABLE);
    expect(await sendPiece(server.url, ann, route, 0, Buffer.alloc(10))).toMatchObject(UNAVAILABLE);
    expect((await tus(server.url, 'HEAD', route, ann)).status).toBe(200);
    expect((await read(server.url, `/files/${file._id}`, ann)).bytes.toString()).toBe('from before');
    expect((await read(server.url, `/files/${file._id}`, ann, { method: 'DELETE' })).status).toBe(204);
    await bob.ok('message:send', { recipient_id: ann.id, content: 'as ever' });
    await disk.leave(MIB);
    await expect.poll(disksState, PATIENCE).toBe('full');
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/^letsapp_disk_free_bytes \d+$/m);

    await disk.empty();
    await expect.poll(disksState, PATIENCE).toBe('ok');
    expect((await upload(server.url, ann, '/files', 'x')).status).toBe(201);
    expect((await sendPiece(server.url, ann, route, 0, Buffer.alloc(10))).status).toBe(204);
    bob.close();
  });

  it.each([
    ['POST /files', { 'Content-Type': 'multipart/form-data; boundary=b' }, FORM_START],
    ['POST /uploads', TUS, ''],
  ])('an upload under way by %s ends as soon as that is noticed, and leaves nothing', async (line, headers, start) => {
    const server = await startProcessForTest(settings(8 * MIB));
    const ann = await register(server.url);
    const socket = openRequest(server.url, line, ann, { ...headers, 'Content-Length': String(MIB) });
    let answer = '';
    socket.on('data', (bytes) => {
      answer += String(bytes);
    });
    socket.write(start + 'x'.repeat(100_000));
    await expect.poll(() => temporaryFiles(server), PATIENCE).toHaveLength(1);
    await disk.leave(6 * MIB);
    await expect.poll(async () => (await http(server.url, 'GET', '/readyz')).json.disk, PATIENCE).toBe('low');
    expect(answer).toBe('');
    socket.write('x'.repeat(100_000));
    await expect.poll(() => answer, PATIENCE).toMatch(/^HTTP\/1\.1 503 .*"code":"unavailable"/s);
    expect(await temporaryFiles(server)).toEqual([]);
    socket.destroy();
  });
});

import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { bearer, info, read, uploaded } from './client.ts';
import { picture } from './samples.ts';

let server: TestServer;
let ann: Account;
let bob: Account;
let eve: Account;
let annDevice: Device;
let image: Buffer;

beforeAll(async () => {
  server = await sharedServer();
  [ann, bob, eve] = (await registerMany(server.url, 3)) as [Account, Account, Account];
  annDevice = await connect(server.url, ann);
  image = await picture(600, 300).png().toBuffer();
});
afterAll(async () => {
  annDevice.close();
});

const newMedia = () => uploaded(server.url, ann, '/media', image, 'a.png');
const newFile = (content: Buffer | string = 'text', name = 'a.txt') =>
  uploaded(server.url, ann, '/files', content, name);
const statusFor = async (account: Account, route: string) => (await read(server.url, route, account)).status;
const sendTo = (recipient: Account, message_type: 'image' | 'document', id: string) =>
  annDevice.ok('message:send', { recipient_id: recipient.id, content: '', message_type, attachment: { media_id: id } });

describe('an answer', () => {
  it('leaves nothing for a browser to guess', async () => {
    const page = await newFile('<script>alert(1)</script>', 'Grüße (1).html');
    const { headers } = await read(server.url, `/files/${page._id}`, ann);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-type')).toBe('text/plain');
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="Gr??e (1).html"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%281%29.html`,
    );
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    const media = await newMedia();
    const shown = await read(server.url, `/media/${media._id}`, ann);
    expect(shown.headers.get('content-disposition')).toBe('inline; filename="a.png"');
    expect(shown.headers.get('content-type')).toBe('image/png');
  });

  it('has no header that a file name smuggles in', async () => {
    const { _id } = await newFile('x', 'a%0d%0aSet-Cookie: b=1');
    const { headers } = await read(server.url, `/files/${_id}`, ann);
    expect(headers.get('set-cookie')).toBe(null);
  });

  it('is 304 to readers who have the bytes already, while they may read them', async () => {
    const { _id } = await newMedia();
    const first = await read(server.url, `/media/${_id}`, ann);
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await read(server.url, `/media/${_id}`, ann, { headers: { 'if-none-match': tag } });
      expect([again.status, again.bytes.length, again.headers.get('etag')]).toEqual([304, 0, etag]);
    }
    expect((await read(server.url, `/media/${_id}`, ann, { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
    expect((await read(server.url, `/media/${_id}`, eve, { headers: { 'if-none-match': etag } })).status).toBe(404);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
  });

  it('to HEAD has all headers but no body', async () => {
    const { _id } = await newFile('12345');
    const { status, headers, bytes } = await read(server.url, `/files/${_id}`, ann, { method: 'HEAD' });
    expect([status, bytes.length, headers.get('content-length'), headers.get('accept-ranges')]).toEqual([
      200,
      0,
      '5',
      'bytes',
    ]);
  });

  describe('to a range request', () => {
    const content = randomBytes(700_000);
    const size = content.length;
    let route: string;
    beforeAll(async () => {
      route = `/files/${(await newFile(content))._id}`;
    });

    it.each([
      ['bytes=0-9', 0, 10],
      ['bytes=5-', 5, size],
      ['bytes=-7', size - 7, size],
      [`bytes=-${size * 3}`, 0, size],
      [`bytes=300000-${size * 2}`, 300_000, size],
      ['bytes=261119-261121', 261_119, 261_122],
      [`bytes=${size - 1}-`, size - 1, size],
    ])('%s is 206', async (range, start, end) => {
      const { status, headers, bytes } = await read(server.url, route, ann, { headers: { range } });
      expect(status).toBe(206);
      expect(headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`);
      expect(bytes.equals(content.subarray(start, end))).toBe(true);
    });

    it.each([`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, 'bytes=-0'])('%s is 416', async (range) => {
      const { status, headers, code } = await read(server.url, route, ann, { headers: { range } });
      expect([status, code, headers.get('content-range')]).toEqual([416, 'validation_failed', `bytes */${size}`]);
    });

    it.each(['bytes=9-5', 'bytes=0-1,4-5', 'bytes=', 'bytes=-', 'bytes=a-b', 'lines=0-1', '0-1'])(
      '%s is 200 with the whole',
      async (range) => {
        const { status, bytes } = await read(server.url, route, ann, { headers: { range } });
        expect([status, bytes.length]).toEqual([200, size]);
      },
    );

    it('for another version, by If-Range, is the whole', async () => {
      const headers = { range: 'bytes=0-9', 'if-range': '"another"' };
      expect((await read(server.url, route, ann, { headers })).status).toBe(200);
      const etag = (await read(server.url, route, ann)).headers.get('etag')!;
      expect((await read(server.url, route, ann, { headers: { ...headers, 'if-range': etag } })).status).toBe(206);
    });
  });
});

describe('readings are counted', () => {
  it('for others than the uploader, if they read the first byte', async () => {
    const { _id } = await newMedia();
    await sendTo(bob, 'image', _id);
    const route = `/media/${_id}`;
    const views = async () => (await info(server.url, ann, route)).json.media.view_count;
    await read(server.url, route, ann);
    expect(await views()).toBe(0);
    const { headers } = await read(server.url, route, bob);
    await read(server.url, route, bob, { headers: { range: 'bytes=0-3' } });
    expect(await views()).toBe(2);
    await read(server.url, route, bob, { headers: { range: 'bytes=4-9' } });
    await read(server.url, route, bob, { headers: { 'if-none-match': headers.get('etag')! } });
    await read(server.url, route, bob, { method: 'HEAD' });
    await read(server.url, `${route}/thumbnail`, bob);
    await read(server.url, route, eve);
    expect(await views()).toBe(2);
    const link = async (account: Account) =>
      (await http(server.url, 'POST', `${route}/link`, { token: account.access_token })).json.url;
    await read(server.url, await link(bob));
    await read(server.url, await link(ann));
    expect(await views()).toBe(3);
  });

  it('when many read at once', async () => {
    const { _id } = await newFile();
    await sendTo(bob, 'document', _id);
    await Promise.all(Array.from({ length: 20 }, () => read(server.url, `/files/${_id}`, bob)));
    expect((await info(server.url, ann, `/files/${_id}`)).json.file.download_count).toBe(20);
  });
});

describe('deleting', () => {
  const remove = async (account: Account, route: string) => read(server.url, route, account, { method: 'DELETE' });

  it('is for the uploader only; messages keep their reference', async () => {
    const { _id } = await newMedia();
    const { message } = await sendTo(bob, 'image', _id);
    expect([(await remove(bob, `/media/${_id}`)).code, (await remove(eve, `/media/${_id}`)).code]).toEqual([
      'forbidden',
      'not_found',
    ]);
    expect((await remove(ann, `/media/${_id}`)).status).toBe(204);
    for (const route of ['', '/thumbnail', '/info']) expect(await statusFor(ann, `/media/${_id}${route}`)).toBe(404);
    expect([(await remove(ann, `/media/${_id}`)).code, (await remove(bob, `/media/${_id}`)).code]).toEqual([
      'not_found',
      'not_found',
    ]);
    const { messages } = await annDevice.ok('message:history', { recipient_id: bob.id });
    expect(messages.find((found) => found._id === message._id)?.attachment).toEqual({ media_id: _id });
    const again = { recipient_id: bob.id, content: '', message_type: 'image', attachment: { media_id: _id } };
    expect((await annDevice.refused('message:send', again)).code).toBe('not_found');
  });

  it('during a read breaks that read at most', async () => {
    const { _id } = await newFile(randomBytes(8 * 1024 * 1024));
    const answer = await new Promise<'whole' | 'broken'>((resolve, reject) => {
      const request = httpRequest(`${server.url}/files/${_id}`, { headers: { ...bearer(ann) } }, (response) => {
        response.once('data', () => {
          response.pause();
          remove(ann, `/files/${_id}`).then(() => response.resume(), reject);
        });
        response.once('error', () => resolve('broken'));
        response.once('end', () => resolve('whole'));
      });
      request.once('error', reject);
      request.end();
    });
    expect(['whole', 'broken']).toContain(answer);
    expect((await read(server.url, '/healthz')).status).toBe(200);
  });
});

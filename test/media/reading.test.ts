import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, registerMany } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { info, read, uploaded } from './client.ts';
import { picture } from './samples.ts';

let server: TestServer;
let accounts: Account[];
let ann: Account;
let bob: Account;
let eve: Account;
let annDevice: Device;
let image: Buffer;

beforeAll(async () => {
  server = await startServer();
  accounts = await registerMany(server.url, 4);
  [ann, bob, eve] = accounts as [Account, Account, Account];
  annDevice = await connect(server.url, ann);
  image = await picture(600, 300).png().toBuffer();
});
afterAll(async () => {
  annDevice.close();
  await server.stop();
});

const newMedia = () => uploaded(server.url, ann, '/media', image, 'a.png');
const newFile = (content: Buffer | string = 'text', name = 'a.txt') =>
  uploaded(server.url, ann, '/files', content, name);
const statusFor = async (account: Account, route: string) => (await read(server.url, route, account)).status;
const sendTo = (recipient: Account, message_type: 'image' | 'document', id: string) =>
  annDevice.ok('message:send', { recipient_id: recipient.id, content: '', message_type, attachment: { media_id: id } });

describe('who may read', () => {
  it('is the uploader, and nobody else before it is sent', async () => {
    const { _id } = await newMedia();
    for (const route of [`/media/${_id}`, `/media/${_id}/thumbnail`, `/media/${_id}/info`]) {
      expect(await statusFor(ann, route)).toBe(200);
      expect(await statusFor(bob, route)).toBe(404);
      expect((await read(server.url, route)).status).toBe(401);
    }
  });

  it('is the recipient of a message, until it is deleted', async () => {
    const { _id } = await newMedia();
    const { message } = await sendTo(bob, 'image', _id);
    expect((await info(server.url, bob, `/media/${_id}`)).json.media).toMatchObject({ message_id: message._id });
    expect(await statusFor(bob, `/media/${_id}`)).toBe(200);
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
    await annDevice.ok('message:delete', { message_id: message._id });
    expect(await statusFor(bob, `/media/${_id}`)).toBe(404);
    expect(await statusFor(ann, `/media/${_id}`)).toBe(200);
  });

  it('is whoever reads any of the messages that it was sent in', async () => {
    const { _id } = await newFile();
    const first = await sendTo(bob, 'document', _id);
    const second = await sendTo(eve, 'document', _id);
    expect((await info(server.url, ann, `/files/${_id}`)).json.file.message_id).toBe(second.message._id);
    await annDevice.ok('message:delete', { message_id: second.message._id });
    expect([await statusFor(bob, `/files/${_id}`), await statusFor(eve, `/files/${_id}`)]).toEqual([200, 404]);
    expect(first.message.attachment).toEqual({ media_id: _id });
  });

  it('are the members of a group, from their joining to their leaving', async () => {
    const { group } = await annDevice.ok('group:create', { name: 'g', member_ids: [bob.id] });
    const { _id } = await newMedia();
    const { message } = await annDevice.ok('message:send', {
      group_id: group._id,
      content: '',
      message_type: 'image',
      attachment: { media_id: _id },
    });
    expect((await info(server.url, bob, `/media/${_id}`)).json.media).toMatchObject({ group_message_id: message._id });
    await annDevice.ok('group:add_members', { group_id: group._id, user_ids: [eve.id] });
    expect([await statusFor(bob, `/media/${_id}`), await statusFor(eve, `/media/${_id}`)]).toEqual([200, 404]);
    await annDevice.ok('message:send', {
      group_id: group._id,
      content: 'again',
      message_type: 'image',
      attachment: { media_id: _id },
    });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(200);
    await annDevice.ok('group:remove_member', { group_id: group._id, user_id: bob.id });
    expect(await statusFor(bob, `/media/${_id}`)).toBe(404);
    await annDevice.ok('group:delete', { group_id: group._id });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
  });

  it('is everybody while it is a profile picture', async () => {
    const { _id } = await newMedia();
    const choose = (profile_picture: string) =>
      http(server.url, 'PATCH', '/users/me', { token: ann.access_token, body: { profile_picture } });
    expect((await choose(_id)).status).toBe(200);
    expect([await statusFor(eve, `/media/${_id}`), await statusFor(eve, `/media/${_id}/thumbnail`)]).toEqual([
      200, 200,
    ]);
    expect((await choose((await newMedia())._id)).status).toBe(200);
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
  });

  it('is everybody while it is the icon of a group', async () => {
    const { _id } = await newMedia();
    const { group } = await annDevice.ok('group:create', { name: 'g', icon: _id, member_ids: [bob.id] });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(200);
    await annDevice.ok('group:delete', { group_id: group._id });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
  });

  it('is nobody for ids that are none, unknown, or of the other kind', async () => {
    const { _id } = await newFile();
    const codes = await Promise.all(
      ['/media/xyz', `/media/${'0'.repeat(24)}`, `/media/${_id}`, `/files/${_id}/thumbnail`].map(
        async (route) => (await read(server.url, route, ann)).code,
      ),
    );
    expect(codes).toEqual(['validation_failed', 'not_found', 'not_found', 'not_found']);
  });
});

describe('using an upload', () => {
  it('is for its uploader alone, and for what it is', async () => {
    const [media, file] = [await newMedia(), await newFile()];
    const bobDevice = await connect(server.url, bob);
    const send = (device: Device, message_type: string, media_id: string) =>
      device.refused('message:send', { recipient_id: eve.id, content: '', message_type, attachment: { media_id } });
    expect((await send(bobDevice, 'image', media._id)).code).toBe('not_found');
    expect((await send(annDevice, 'image', '0'.repeat(24))).code).toBe('not_found');
    expect((await send(annDevice, 'video', media._id)).code).toBe('validation_failed');
    expect((await send(annDevice, 'image', file._id)).code).toBe('validation_failed');
    expect((await send(annDevice, 'document', media._id)).code).toBe('validation_failed');
    const picture = (account: Account, profile_picture: string) =>
      http(server.url, 'PATCH', '/users/me', { token: account.access_token, body: { profile_picture } });
    expect((await picture(bob, media._id)).status).toBe(404);
    expect((await picture(ann, '0'.repeat(24))).status).toBe(404);
    bobDevice.close();
  });
});

describe('a link', () => {
  const linkOf = (account: Account, route: string) =>
    http(server.url, 'POST', `${route}/link`, { token: account.access_token });

  it('opens what its maker may read, for ten minutes, without a bearer', async () => {
    const { _id } = await newMedia();
    const { status, json } = await linkOf(ann, `/media/${_id}`);
    expect(status).toBe(200);
    expect(json.url.startsWith(`${server.url}/media/${_id}?token=`)).toBe(true);
    expect(Math.abs(new Date(json.expires_at).getTime() - Date.now() - 600_000)).toBeLessThan(30_000);
    expect((await read(server.url, json.url)).status).toBe(200);
    expect((await read(server.url, json.url.replace('?', '/thumbnail?'))).status).toBe(200);
    expect((await read(server.url, json.url.replace('?', '/info?'))).status).toBe(401);
  });

  it('of a reader ends with the right to read', async () => {
    const { _id } = await newFile();
    const { message } = await sendTo(bob, 'document', _id);
    const { json } = await linkOf(bob, `/files/${_id}`);
    expect((await read(server.url, json.url)).bytes.toString()).toBe('text');
    await annDevice.ok('message:delete', { message_id: message._id });
    expect((await read(server.url, json.url)).code).toBe('not_found');
  });

  it('is made of nothing but the upload', async () => {
    const { _id } = await newFile();
    const options = { token: ann.access_token, body: { expires_in: 3600 } };
    expect((await http(server.url, 'POST', `/files/${_id}/link`, options)).status).toBe(400);
    expect((await http(server.url, 'POST', `/files/${_id}/link`, { ...options, body: {} })).status).toBe(200);
  });

  it('is not for who may not read', async () => {
    const { _id } = await newFile();
    expect((await linkOf(eve, `/files/${_id}`)).status).toBe(404);
  });

  it('opens nothing else, and nothing else opens as a link', async () => {
    const [one, other] = [await newFile(), await newFile()];
    const token = new URL((await linkOf(ann, `/files/${one._id}`)).json.url).searchParams.get('token')!;
    const attempts = [
      [`/files/${other._id}`, token],
      [`/files/${one._id}`, `${token.slice(0, -3)}abc`],
      [`/files/${one._id}`, ann.access_token],
      [`/files/${one._id}`, ''],
      [`/files/${one._id}`, `${token}&token=${token}`],
    ];
    for (const [route, given] of attempts) {
      expect((await read(server.url, `${route}?token=${given}`)).code).toBe('unauthenticated');
    }
    const asBearer = await read(server.url, '/users/me', undefined, { headers: { authorization: `Bearer ${token}` } });
    expect(asBearer.code).toBe('unauthenticated');
  });
});

describe('an answer', () => {
  it('carries what keeps a browser from guessing', async () => {
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

  it('to a name with line breaks has no header of the stranger’s', async () => {
    const { _id } = await newFile('x', 'a%0d%0aSet-Cookie: b=1');
    const { headers } = await read(server.url, `/files/${_id}`, ann);
    expect(headers.get('set-cookie')).toBe(null);
  });

  it('is 304 to who has it already, though only while it may be read', async () => {
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

  it('to HEAD has all headers and no body', async () => {
    const { _id } = await newFile('12345');
    const { status, headers, bytes } = await read(server.url, `/files/${_id}`, ann, { method: 'HEAD' });
    expect([status, bytes.length, headers.get('content-length'), headers.get('accept-ranges')]).toEqual([
      200,
      0,
      '5',
      'bytes',
    ]);
  });

  describe('to a range', () => {
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
      '%s is the whole',
      async (range) => {
        const { status, bytes } = await read(server.url, route, ann, { headers: { range } });
        expect([status, bytes.length]).toEqual([200, size]);
      },
    );

    it('of what has changed since is the whole', async () => {
      const headers = { range: 'bytes=0-9', 'if-range': '"another"' };
      expect((await read(server.url, route, ann, { headers })).status).toBe(200);
      const etag = (await read(server.url, route, ann)).headers.get('etag')!;
      expect((await read(server.url, route, ann, { headers: { ...headers, 'if-range': etag } })).status).toBe(206);
    });
  });
});

describe('a reading counts', () => {
  it('once for each whole or first part that another has read', async () => {
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

  it('none the less when many read at once', async () => {
    const { _id } = await newFile();
    await sendTo(bob, 'document', _id);
    await Promise.all(Array.from({ length: 20 }, () => read(server.url, `/files/${_id}`, bob)));
    expect((await info(server.url, ann, `/files/${_id}`)).json.file.download_count).toBe(20);
  });
});

describe('deleting', () => {
  const remove = async (account: Account, route: string) => read(server.url, route, account, { method: 'DELETE' });

  it('is the uploader’s; messages keep their reference', async () => {
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

  it('while it is being read breaks that reading at most', async () => {
    const { _id } = await newFile(randomBytes(8 * 1024 * 1024));
    const answer = await new Promise<'whole' | 'broken'>((resolve, reject) => {
      const request = httpRequest(
        `${server.url}/files/${_id}`,
        { headers: { authorization: `Bearer ${ann.access_token}` } },
        (response) => {
          response.once('data', () => {
            response.pause();
            remove(ann, `/files/${_id}`).then(() => response.resume(), reject);
          });
          response.once('error', () => resolve('broken'));
          response.once('end', () => resolve('whole'));
        },
      );
      request.once('error', reject);
      request.end();
    });
    expect(['whole', 'broken']).toContain(answer);
    expect((await read(server.url, '/healthz')).status).toBe(200);
  });
});

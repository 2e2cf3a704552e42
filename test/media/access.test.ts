import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, CLOCKS_MS, connect, type Device, http, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { info, read, uploaded } from './client.ts';
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
  image = await picture().png().toBuffer();
});
afterAll(async () => {
  annDevice.close();
});

const newMedia = () => uploaded(server.url, ann, '/media', image, 'a.png');
const newFile = () => uploaded(server.url, ann, '/files', 'text', 'a.txt');
const statusFor = async (account: Account, route: string) => (await read(server.url, route, account)).status;
const sendTo = (recipient: Account, message_type: 'image' | 'document', id: string) =>
  annDevice.ok('message:send', { recipient_id: recipient.id, content: '', message_type, attachment: { media_id: id } });
const sendToGroup = (group_id: string, media_id: string) =>
  annDevice.ok('message:send', { group_id, content: '', message_type: 'image', attachment: { media_id } });
const choosePicture = (account: Account, profile_picture: string) =>
  http(server.url, 'PATCH', '/users/me', { token: account.access_token, body: { profile_picture } });

describe('an upload can be read by', () => {
  it('its uploader, and nobody else until it is sent', async () => {
    const { _id } = await newMedia();
    for (const route of [`/media/${_id}`, `/media/${_id}/thumbnail`, `/media/${_id}/info`]) {
      expect(await statusFor(ann, route)).toBe(200);
      expect(await statusFor(bob, route)).toBe(404);
      expect((await read(server.url, route)).status).toBe(401);
    }
  });

  it('the recipient of a message, until that is deleted', async () => {
    const { _id } = await newMedia();
    const { message } = await sendTo(bob, 'image', _id);
    expect((await info(server.url, bob, `/media/${_id}`)).json.media).toMatchObject({ message_id: message._id });
    expect(await statusFor(bob, `/media/${_id}`)).toBe(200);
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
    await annDevice.ok('message:delete', { message_id: message._id });
    expect(await statusFor(bob, `/media/${_id}`)).toBe(404);
    expect(await statusFor(ann, `/media/${_id}`)).toBe(200);
  });

  it('the recipients of all messages it was sent in', async () => {
    const { _id } = await newFile();
    const first = await sendTo(bob, 'document', _id);
    const second = await sendTo(eve, 'document', _id);
    expect((await info(server.url, ann, `/files/${_id}`)).json.file.message_id).toBe(second.message._id);
    await annDevice.ok('message:delete', { message_id: second.message._id });
    expect([await statusFor(bob, `/files/${_id}`), await statusFor(eve, `/files/${_id}`)]).toEqual([200, 404]);
    expect(first.message.attachment).toEqual({ media_id: _id });
  });

  it('members of a group, from joining until leaving', async () => {
    const { group } = await annDevice.ok('group:create', { name: 'g', member_ids: [bob.id] });
    const { _id } = await newMedia();
    const { message } = await sendToGroup(group._id, _id);
    expect((await info(server.url, bob, `/media/${_id}`)).json.media).toMatchObject({ group_message_id: message._id });
    await annDevice.ok('group:add_members', { group_id: group._id, user_ids: [eve.id] });
    expect([await statusFor(bob, `/media/${_id}`), await statusFor(eve, `/media/${_id}`)]).toEqual([200, 404]);
    await sendToGroup(group._id, _id);
    expect(await statusFor(eve, `/media/${_id}`)).toBe(200);
    await annDevice.ok('group:remove_member', { group_id: group._id, user_id: bob.id });
    expect(await statusFor(bob, `/media/${_id}`)).toBe(404);
    await annDevice.ok('group:delete', { group_id: group._id });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
  });

  it('everybody while it is a profile picture', async () => {
    const { _id } = await newMedia();
    expect((await choosePicture(ann, _id)).status).toBe(200);
    expect([await statusFor(eve, `/media/${_id}`), await statusFor(eve, `/media/${_id}/thumbnail`)]).toEqual([
      200, 200,
    ]);
    expect((await choosePicture(ann, (await newMedia())._id)).status).toBe(200);
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
  });

  it('everybody while it is the icon of a group', async () => {
    const { _id } = await newMedia();
    const { group } = await annDevice.ok('group:create', { name: 'g', icon: _id, member_ids: [bob.id] });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(200);
    await annDevice.ok('group:delete', { group_id: group._id });
    expect(await statusFor(eve, `/media/${_id}`)).toBe(404);
  });

  it('nobody under an id that is malformed, unknown, or of the other kind', async () => {
    const { _id } = await newFile();
    const codes = await Promise.all(
      ['/media/xyz', `/media/${'0'.repeat(24)}`, `/media/${_id}`, `/files/${_id}/thumbnail`].map(
        async (route) => (await read(server.url, route, ann)).code,
      ),
    );
    expect(codes).toEqual(['validation_failed', 'not_found', 'not_found', 'not_found']);
  });
});

it('an upload can be used by its uploader only, and only as what it is', async () => {
  const [media, file] = [await newMedia(), await newFile()];
  const bobDevice = await connect(server.url, bob);
  const send = (device: Device, message_type: string, media_id: string) =>
    device.refused('message:send', { recipient_id: eve.id, content: '', message_type, attachment: { media_id } });
  expect((await send(bobDevice, 'image', media._id)).code).toBe('not_found');
  expect((await send(annDevice, 'image', '0'.repeat(24))).code).toBe('not_found');
  expect((await send(annDevice, 'video', media._id)).code).toBe('validation_failed');
  expect((await send(annDevice, 'image', file._id)).code).toBe('validation_failed');
  expect((await send(annDevice, 'document', media._id)).code).toBe('validation_failed');
  expect((await choosePicture(bob, media._id)).status).toBe(404);
  expect((await choosePicture(ann, '0'.repeat(24))).status).toBe(404);
  bobDevice.close();
});

describe('a link', () => {
  const linkOf = (account: Account, route: string) =>
    http(server.url, 'POST', `${route}/link`, { token: account.access_token });

  it('opens what its maker may read, for ten minutes and without a bearer', async () => {
    const { _id } = await newMedia();
    const before = Date.now();
    const { status, json } = await linkOf(ann, `/media/${_id}`);
    expect(status).toBe(200);
    expect(json.url.startsWith(`${server.url}/media/${_id}?token=`)).toBe(true);
    const expiresAt = new Date(json.expires_at).getTime();
    // In whole seconds.
    expect(expiresAt).toBeGreaterThan(before + 600_000 - 1000 - CLOCKS_MS);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 600_000 + CLOCKS_MS);
    expect((await read(server.url, json.url)).status).toBe(200);
    expect((await read(server.url, json.url.replace('?', '/thumbnail?'))).status).toBe(200);
    expect((await read(server.url, json.url.replace('?', '/info?'))).status).toBe(401);
  });

  it('ends with its maker’s right to read', async () => {
    const { _id } = await newFile();
    const { message } = await sendTo(bob, 'document', _id);
    const { json } = await linkOf(bob, `/files/${_id}`);
    expect((await read(server.url, json.url)).bytes.toString()).toBe('text');
    await annDevice.ok('message:delete', { message_id: message._id });
    expect((await read(server.url, json.url)).code).toBe('not_found');
  });

  it('takes no options', async () => {
    const { _id } = await newFile();
    const options = { token: ann.access_token, body: { expires_in: 3600 } };
    expect((await http(server.url, 'POST', `/files/${_id}/link`, options)).status).toBe(400);
    expect((await http(server.url, 'POST', `/files/${_id}/link`, { ...options, body: {} })).status).toBe(200);
  });

  it('is refused to those who may not read', async () => {
    const { _id } = await newFile();
    expect((await linkOf(eve, `/files/${_id}`)).status).toBe(404);
  });

  it('opens nothing else, and no other token is a link', async () => {
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

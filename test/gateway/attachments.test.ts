import { beforeAll, expect, it } from 'vitest';
import { register } from '../support/client.ts';
import { connectRaw, openRaw } from '../support/raw-socket.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** A command with an attachment, as Socket.IO writes it. */
const withAttachments = (count: number, id: number, payload = '{"_placeholder":true,"num":0}') =>
  `45${count}-${id}["message:send",${payload}]`;

const connected = async () => connectRaw(server.url, (await register(server.url)).access_token);

it('a command with attachments is refused before they come, and the connection goes on', async () => {
  const raw = await connected();
  raw.send(withAttachments(2, 1));
  expect(await raw.frame('431')).toContain('"validation_failed"');
  raw.send(Buffer.alloc(200_000));
  raw.send(Buffer.alloc(200_000));
  raw.send('422["presence:get",{"user_ids":[]}]');
  expect(await raw.frame('432')).toContain('"ok":true');
  raw.close();
});

it('attachments of whatever lies in a payload, and acknowledgements with some, change nothing', async () => {
  const raw = await connected();
  raw.send(`451-1["call:signal",{"call_id":"${'0'.repeat(24)}","signal":{"sdp":{"_placeholder":true,"num":0}}}]`);
  raw.send(Buffer.from('x'));
  expect(await raw.frame('431')).toContain('"validation_failed"');
  raw.send('461-7[{"_placeholder":true,"num":0}]');
  raw.send(Buffer.from('x'));
  raw.send('422["presence:get",{"user_ids":[]}]');
  expect(await raw.frame('432')).toContain('"ok":true');
  raw.close();
});

it.each([
  ['binary that was not announced', ['binary']],
  ['a packet before the attachments of the last one', [withAttachments(1, 1), '42["presence:get",{"user_ids":[]}]']],
  ['more than ten attachments', [withAttachments(11, 1)]],
  ['no number of attachments', ['45-["message:send",{}]']],
  ['attachments to what is no JSON', ['451-["message:send"']],
])('%s closes the connection', async (_name, frames) => {
  const raw = await connected();
  for (const frame of frames) raw.send(frame === 'binary' ? Buffer.from('x') : frame);
  await raw.closed;
});

it('whoever has not shown who they are is cut off at the first of it', async () => {
  const raw = await openRaw(server.url);
  await raw.frame('0');
  raw.send(withAttachments(10, 1));
  await raw.closed;
});

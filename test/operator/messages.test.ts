/** Moderation: the operator deletes messages as their senders would (PROTOCOL section 12). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const API_KEY = 'the-key-of-the-setting-0123456789';

let server: TestServer;
let [ann, bob]: Account[] = [];
let [anns, bobs]: Device[] = [];
beforeAll(async () => {
  server = await startServer({ env: { API_KEY } });
  [ann, bob] = [await register(server.url), await register(server.url)];
  [anns, bobs] = [await connect(server.url, ann), await connect(server.url, bob)];
});
afterAll(async () => {
  anns!.close();
  bobs!.close();
  await server.stop();
});

const remove = (id: string) => http(server.url, 'DELETE', `/server/messages/${id}`, { token: API_KEY });

async function expectTombstone(id: string): Promise<void> {
  for (const device of [anns!, bobs!]) {
    const { message } = await device.next(
      'message:updated',
      (event) => event.message._id === id && event.message.is_deleted,
    );
    expect(message).toMatchObject({ is_deleted: true, content: '', attachment: null });
  }
}

it('leaves a tombstone that both are told of, once', async () => {
  const { message } = await anns!.ok('message:send', { recipient_id: bob!.id, content: 'rude' });
  await bobs!.ok('message:react', { message_id: message._id, emoji: '👎' });
  const [first, second] = await Promise.all([remove(message._id), remove(message._id)]);
  expect([first.status, second.status, (await remove(message._id)).status]).toEqual([204, 204, 204]);
  await expectTombstone(message._id);
  const { messages } = await bobs!.ok('message:history', { recipient_id: ann!.id });
  expect(messages.at(-1)).toMatchObject({ _id: message._id, is_deleted: true, content: '', rev: 3 });
  expect(messages.at(-1)).not.toHaveProperty('reactions');
});

it('goes through a block', async () => {
  const { message } = await anns!.ok('message:send', { recipient_id: bob!.id, content: 'rude again' });
  await bobs!.ok('contact:block', { user_id: ann!.id });
  expect((await remove(message._id)).status).toBe(204);
  await expectTombstone(message._id);
  await bobs!.ok('contact:unblock', { user_id: ann!.id });
});

it('reaches what was sent to a group by somebody who has left it, and to a group that is deleted', async () => {
  const { group } = await anns!.ok('group:create', { name: 'a group', member_ids: [bob!.id] });
  const sent = await bobs!.ok('message:send', { group_id: group._id, content: 'rude' });
  const last = await anns!.ok('message:send', { group_id: group._id, content: 'rude too' });
  await bobs!.ok('group:leave', { group_id: group._id });
  expect((await remove(sent.message._id)).status).toBe(204);
  await anns!.next('message:updated', ({ message }) => message._id === sent.message._id && message.is_deleted);
  await anns!.ok('group:delete', { group_id: group._id });
  expect((await remove(last.message._id)).status).toBe(204);
});

it('is not found for a message that there is not, and refused for what is no id', async () => {
  expect((await remove('0'.repeat(24))).status).toBe(404);
  expect((await remove('x')).status).toBe(400);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, registerMany } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { GROUP_HISTORY: 'all' } });
});
afterAll(() => server.stop());

it('GROUP_HISTORY=all shows the whole history, and changes of it, to members who join later', async () => {
  const accounts = await registerMany(server.url, 2);
  const [admin, late] = await Promise.all(accounts.map((account) => connect(server.url, account)));
  const { group } = await admin!.ok('group:create', { name: 'Open', member_ids: [] });
  const group_id = group._id;
  const { message } = await admin!.ok('message:send', { group_id, content: 'before' });
  await admin!.ok('group:add_members', { group_id, user_ids: [late!.id] });
  expect((await late!.ok('message:history', { group_id })).messages).toEqual([message]);
  const edited = await admin!.ok('message:edit', { message_id: message._id, content: 'corrected' });
  expect((await late!.next('message:updated')).message).toEqual(edited.message);
  // Older messages are history, not news.
  expect(late!.seen('message:new')).toEqual([]);
});

/** What `DELETE /users/me` leaves of a person: the id, the username and the messages. */
import { type Db, MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, connect, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';

const SECRET = 'the same secret for both of the servers';
const WAIT = { timeout: 30_000 };

let database: TestDatabase;
let client: MongoClient;
let db: Db;
let server: TestServer;
beforeAll(async () => {
  database = await startDatabase();
  server = await startServer({ env: { MONGODB_URL: database.url, JWT_SECRET: SECRET } });
  client = await new MongoClient(database.url).connect();
  db = client.db();
});
afterAll(async () => {
  await server.stop();
  await client.close();
  await database.stop();
});

const deleteAccount = ({ access_token: token, password }: Account) =>
  http(server.url, 'DELETE', '/users/me', { token, body: { password } });
const stored = (account: Account) => db.collection('users').findOne({ _id: new ObjectId(account.id) });
const isErased = async (account: Account) => {
  const user = await stored(account);
  return user?.is_active === false && user.erasing === undefined;
};

async function uploadFile({ access_token }: Account, text: string): Promise<string> {
  const form = new FormData();
  form.append('file', new Blob([text]), 'private.txt');
  const headers = { authorization: `Bearer ${access_token}` };
  const answer = await fetch(`${server.url}/files`, { method: 'POST', headers, body: form });
  return ((await answer.json()) as { file: { _id: string } }).file._id;
}

it('erases what is personal, everywhere; the id, the username and messages with their files stay', async () => {
  const [ann, bob] = await Promise.all([register(server.url, { full_name: 'Ann Example' }), register(server.url)]);
  const [anns, bobs] = await Promise.all([
    connect(server.url, ann, { auth: { device_info: { platform: 'anns-phone' } } }),
    connect(server.url, bob),
  ]);
  await http(server.url, 'PATCH', '/users/me', { token: ann.access_token, body: { bio: 'lives somewhere' } });
  await anns.ok('presence:set', { status: 'busy', custom_status: 'at the doctor' });
  await anns.ok('contact:request', { user_id: bob.id });
  await bobs.ok('contact:accept', { user_id: ann.id });
  await anns.ok('contact:update', { user_id: bob.id, notes: 'a friend' });
  const [sentFile, unsentFile] = await Promise.all([uploadFile(ann, 'for bob'), uploadFile(ann, 'a diary')]);
  const attachment = { media_id: sentFile };
  await anns.ok('message:send', { recipient_id: bob.id, content: '', message_type: 'document', attachment });
  await anns.ok('conversation:update', { recipient_id: bob.id, pinned: true });
  await http(server.url, 'POST', '/auth/password/forgot', { body: { email: ann.email } });

  expect((await deleteAccount(ann)).status).toBe(204);
  await bobs.next('user:updated', ({ user }) => user._id === ann.id && !user.is_active && user.full_name === null);
  await bobs.next('contact:removed', ({ user_id }) => user_id === ann.id);
  await expect.poll(() => isErased(ann), WAIT).toBe(true);

  expect(await stored(ann)).toMatchObject({
    username: ann.username,
    email: expect.stringMatching(/^[0-9a-f]{32}@external\.invalid$/),
    password: '',
    password_history: [],
    full_name: null,
    bio: '',
    profile_picture: null,
  });
  const user_id = new ObjectId(ann.id);
  const left = async (collection: string, filter: object) => db.collection(collection).countDocuments(filter);
  expect(await left('sessions', { user_id, device_info: { $exists: true } })).toBe(0);
  expect(await left('contacts', { $or: [{ user_id }, { contact_id: user_id }] })).toBe(0);
  expect(await left('presence', { user_id, custom_status: { $exists: true } })).toBe(0);
  expect(await left('memberships', { user_id, pinned: { $exists: true } })).toBe(0);
  expect(await left('password_reset_tokens', { user_id })).toBe(0);
  expect(await left('files', { _id: new ObjectId(unsentFile), is_deleted: false })).toBe(0);
  expect(await left('uploads.files', {})).toBe(1);

  const { messages } = await bobs.ok('message:history', { recipient_id: ann.id });
  expect(messages.map((message) => message.attachment)).toEqual([attachment]);
  const file = await fetch(`${server.url}/files/${sentFile}`, {
    headers: { authorization: `Bearer ${bob.access_token}` },
  });
  expect(await file.text()).toBe('for bob');
  const taken = await http(server.url, 'POST', '/auth/register', {
    body: { username: ann.username, email: 'somebody@example.test', password: ann.password },
  });
  expect([taken.status, taken.json.error.details[0].path]).toEqual([409, 'username']);
  await register(server.url, { email: ann.email });
  anns.close();
  bobs.close();
});

it('leaves the blocks of others, who go on finding whom they block', async () => {
  const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  const bobs = await connect(server.url, bob);
  await bobs.ok('contact:block', { user_id: ann.id });
  await deleteAccount(ann);
  await expect.poll(() => isErased(ann), WAIT).toBe(true);
  const { contacts } = await bobs.ok('contact:list', { status: 'blocked' });
  expect(contacts.map(({ contact_id }) => contact_id)).toEqual([ann.id]);
  bobs.close();
});

it('is finished by another node when the one that began it dies', async () => {
  const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  const bobs = await connect(server.url, bob);
  await bobs.ok('contact:request', { user_id: ann.id });
  // As the first write leaves it, right before the process dies.
  await db
    .collection('users')
    .updateOne(
      { _id: new ObjectId(ann.id) },
      { $set: { is_active: false, erasing: true, email: '', email_key: ann.id } },
    );
  await startServerForTest({ env: { MONGODB_URL: database.url, JWT_SECRET: SECRET } });
  // The job is due each minute; it is brought forward here.
  await db
    .collection<{ _id: string }>('jobs')
    .updateOne({ _id: { $regex: /^erasures/ } }, { $set: { due_at: new Date(0) } });
  await expect.poll(() => isErased(ann), WAIT).toBe(true);
  expect((await bobs.ok('contact:list', {})).contacts).toEqual([]);
  bobs.close();
});

it('a wrong password erases nothing', async () => {
  const ann = await register(server.url, { full_name: 'Still Here' });
  expect((await deleteAccount({ ...ann, password: 'not the right one' })).status).toBe(403);
  expect(await stored(ann)).toMatchObject({ is_active: true, full_name: 'Still Here', email: ann.email });
});

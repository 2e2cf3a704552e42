/** Users whom the operator knows by an id of its own: each is made once, and none of them has a password. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFindOrMake, type FindOrMake, generatedUsernames } from '../../server/accounts/external-users.ts';
import { connect as connectDatabase, type Database } from '../../server/model/connect.ts';
import { connect, http, register, uniqueName } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { silentOutbox } from '../support/outbox.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Sink, startSink } from './smtp-sink.ts';

const SECRET = 'the same secret for both of the servers';

let database: TestDatabase;
let sink: Sink;
let server: TestServer;
/** Connections of two nodes. */
let nodes: [Database, Database];
let makers: [FindOrMake, FindOrMake];
beforeAll(async () => {
  database = await startDatabase();
  sink = await startSink();
  server = await startServer({ env: { MONGODB_URL: database.url, JWT_SECRET: SECRET, SMTP_URL: sink.url } });
  const log = pino({ enabled: false });
  nodes = [await connectDatabase(database.url, log), await connectDatabase(database.url, log)];
  makers = [makerOf(nodes[0]), makerOf(nodes[1])];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await server.stop();
  await sink.close();
  await database.stop();
});

function makerOf(node: Database): FindOrMake {
  const { users } = node.collections;
  const toData = () => ({});
  const source = { name: 'user', collection: users, type: 'user.updated', toData } as const;
  return createFindOrMake({ ...node, outbox: silentOutbox(node.collections).source(source) });
}

const findOrMake: FindOrMake = (id, firstSight) => makers[0](id, firstSight);
const stored = (external_id: string) => nodes[0].collections.users.find({ external_id }).toArray();

describe('a user of an external id', () => {
  it('is made at first sight, and found from then on', async () => {
    const id = uniqueName('crm/');
    const first = await findOrMake(id, { usernames: generatedUsernames(), full_name: 'Ann Example', is_bot: true });
    expect(first).toMatchObject({ created: true, user: { external_id: id, full_name: 'Ann Example', is_bot: true } });
    expect(first.user.username).toMatch(/^user_[0-9a-f]{8}$/);
    expect(first.user.email).toMatch(/^[0-9a-f]{32}@external\.invalid$/);
    const again = await findOrMake(id, { usernames: generatedUsernames(), full_name: 'Somebody Else' });
    expect(again).toEqual({ user: first.user, created: false });
  });

  it('is made once by fifty requests on two nodes at the same moment', async () => {
    const id = uniqueName('crowd');
    const username = uniqueName('crowd');
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        makers[i % 2]!(id, { usernames: [username], emails: [`${id}@example.test`] }),
      ),
    );
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ user }) => user._id.toHexString())).size).toBe(1);
    expect(await stored(id)).toHaveLength(1);
  });

  it('gets the first username and the first address that are free, in any case', async () => {
    const other = await register(server.url);
    const [username, email] = [uniqueName('free'), `${uniqueName('free')}@example.test`];
    const { user } = await findOrMake(uniqueName('fit'), {
      usernames: [other.username.toUpperCase(), username],
      emails: [other.email.toUpperCase(), email],
    });
    expect(user).toMatchObject({ username, email });
  });

  it('is not made where every name wished for is taken, and the conflict says which', async () => {
    const other = await register(server.url);
    const id = uniqueName('late');
    const refusal = { code: 'conflict' };
    await expect(findOrMake(id, { usernames: [other.username] })).rejects.toMatchObject({
      ...refusal,
      details: [{ path: 'username', message: 'is taken' }],
    });
    await expect(findOrMake(id, { usernames: generatedUsernames(), emails: [other.email] })).rejects.toMatchObject({
      ...refusal,
      details: [{ path: 'email', message: 'is taken' }],
    });
    expect(await stored(id)).toEqual([]);
  });

  it('of two with one name at the same moment, one is made', async () => {
    const username = uniqueName('rival');
    const ids = [uniqueName('one'), uniqueName('two')];
    const outcomes = await Promise.allSettled(ids.map((id, i) => makers[i]!(id, { usernames: [username] })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a user without a password', () => {
  /** Signs in as an issuer of tokens would let it: by a session that is stored directly. */
  async function signedIn() {
    const account = await register(server.url);
    const { users } = nodes[0].collections;
    await users.updateOne({ username: account.username }, { $set: { password: '' } });
    return account;
  }

  it('cannot sign in, whatever password is given, and is answered as an unknown user', async () => {
    const { user } = await findOrMake(uniqueName('out'), { usernames: generatedUsernames() });
    const unknown = await http(server.url, 'POST', '/auth/login', { body: { login: uniqueName(), password: 'x' } });
    for (const login of [user.username, user.email]) {
      for (const password of ['', 'x', user.password]) {
        const answer = await http(server.url, 'POST', '/auth/login', { body: { login, password } });
        expect([answer.status, answer.json]).toEqual([401, unknown.json]);
      }
    }
  });

  it('cannot change a password that is not there', async () => {
    const { access_token: token } = await signedIn();
    for (const current_password of ['', 'x']) {
      const body = { current_password, new_password: 'Correct-horse-10' };
      const answer = await http(server.url, 'POST', '/auth/password/change', { token, body });
      expect([answer.status, answer.json.error.code]).toEqual([403, 'forbidden']);
    }
  });

  it('is sent no mail to recover one, while who has one is', async () => {
    const email = `${uniqueName('mail')}@example.test`;
    await findOrMake(uniqueName('mail'), { usernames: generatedUsernames(), emails: [email] });
    const other = await register(server.url);
    for (const address of [email, other.email]) {
      const answer = await http(server.url, 'POST', '/auth/password/forgot', { body: { email: address } });
      expect([answer.status, answer.json]).toEqual([202, {}]);
    }
    // The mails go out in the order of the requests: the other's would have gone out before.
    await expect.poll(() => sink.count(other.email), { timeout: 30_000 }).toBe(1);
    expect(sink.count(email)).toBe(0);
  });

  it('deletes the account without one; who has a password must give it', async () => {
    const [without, withPassword] = [await signedIn(), await register(server.url)];
    const remove = ({ access_token: token }: { access_token: string }, body?: object) =>
      http(server.url, 'DELETE', '/users/me', { token, body });
    const missing = await remove(withPassword);
    expect([missing.status, missing.json.error.details]).toEqual([400, [{ path: 'password', message: 'is missing' }]]);
    expect((await remove(without)).status).toBe(204);
    expect((await http(server.url, 'GET', '/users/me', { token: without.access_token })).status).toBe(401);
  });
});

it('bots are shown as such, to themselves and to others; nobody else is', async () => {
  const [bot, ann] = await Promise.all([register(server.url), register(server.url)]);
  await nodes[0].collections.users.updateOne({ username: bot.username }, { $set: { is_bot: true } });
  const bots = await connect(server.url, bot);
  const { user } = await bots.next('session:ready');
  expect(user.is_bot).toBe(true);
  const anns = await connect(server.url, ann);
  expect((await anns.ok('user:get', { user_id: bot.id })).user.is_bot).toBe(true);
  expect((await bots.ok('user:get', { user_id: ann.id })).user).not.toHaveProperty('is_bot');
  bots.close();
  anns.close();
});

/** Users as the operator's own back end makes, finds and changes them (PROTOCOL section 12). */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../server/lib/validation.ts';
import { ServerUserAnswer, ServerUserPutAnswer } from '../../shared/contract/operator.ts';
import { connect, http, register, uniqueName } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JWT_SECRET = 'the same secret for both of the servers';
const API_KEY = 'the-key-of-the-setting-0123456789';

let database: TestDatabase;
let nodes: [TestServer, TestServer];
beforeAll(async () => {
  database = await startDatabase();
  const start = () => startServer({ env: { MONGODB_URL: database.url, JWT_SECRET, API_KEY } });
  nodes = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await database.stop();
});

const call = (method: string, route: string, body?: unknown, node = nodes[0]) =>
  http(node.url, method, `/server/${route}`, { token: API_KEY, body });
const put = (id: string, body: unknown = {}, node = nodes[0]) =>
  call('PUT', `users/${encodeURIComponent(id)}`, body, node);
const get = (query: Record<string, string>) => call('GET', `users?${new URLSearchParams(query)}`);
const signIn = async (id: string) => (await call('POST', `users/${encodeURIComponent(id)}/sessions`, {})).json;

describe('PUT of a user', () => {
  it('makes one who has all that a user must have, and finds the same one again', async () => {
    const id = uniqueName('crm-');
    const first = await put(id);
    expect([first.status, first.json.created]).toEqual([201, true]);
    expect(compile(ServerUserPutAnswer)(first.json)).toBe(true);
    expect(first.json.user).toMatchObject({
      external_id: id,
      username: expect.stringMatching(/^user_[0-9a-f]{8}$/),
      email: expect.stringMatching(/^[0-9a-f]+@external\.invalid$/),
      is_bot: false,
      is_active: true,
    });
    for (const secret of ['metadata', 'password', 'password_history', 'username_key', 'version']) {
      expect(first.json.user).not.toHaveProperty(secret);
    }
    const again = await put(id);
    expect([again.status, again.json]).toEqual([200, { user: first.json.user, created: false }]);
  });

  it('makes one for fifty requests at once on two nodes', async () => {
    const id = uniqueName('crowd-');
    const body = { username: uniqueName('crowd'), metadata: { plan: 'gold' } };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => put(id, body, nodes[i % 2])));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 201]);
    expect(new Set(answers.map(({ json }) => json.user._id)).size).toBe(1);
  });

  it('takes any external id of 1 to 128 code points, and gives it back as it came', async () => {
    const character = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => !/\p{Cc}/u.test(one));
    const id = fc.array(character, { minLength: 1, maxLength: 128 }).map((characters) => characters.join(''));
    await fc.assert(
      fc.asyncProperty(id, async (external_id) => {
        const { status, json } = await put(external_id);
        expect([status < 300, json.user?.external_id]).toEqual([true, external_id]);
        expect((await get({ external_id })).json.user._id).toBe(json.user._id);
      }),
      {
        numRuns: 15,
        examples: [['a/b'], ['%2F'], ['?#&= +'], ['by-id'], ['😀'.repeat(128)], ['e\u0301'], ['\u00e9'], [' ']],
      },
    );
  });

  it('refuses external ids that are too long, hold control characters, or are no text', async () => {
    for (const encoded of [
      'x'.repeat(129),
      'a%00',
      'a%0A',
      '%7F',
      '%C2%85',
      '%ED%A0%80',
      '%FF',
      encodeURIComponent('😀'.repeat(129)),
    ]) {
      const answers = [
        await call('PUT', `users/${encoded}`, {}),
        await call('GET', `users?external_id=${encoded}`),
        await call('POST', `users/${encoded}/deactivate`),
      ];
      expect(answers.map(({ status, json }) => [status, json.error?.code])).toEqual(
        Array(3).fill([400, 'validation_failed']),
      );
    }
  });

  it.each([
    [{ username: 'a b' }, 'username'],
    [{ username: 'ab' }, 'username'],
    [{ email: 'nobody' }, 'email'],
    [{ full_name: 'x'.repeat(101) }, 'full_name'],
    [{ bio: 7 }, 'bio'],
    [{ is_bot: 'yes' }, 'is_bot'],
    [{ metadata: { $set: 1 } }, 'metadata'],
    [{ metadata: [] }, 'metadata'],
    [{ metadata: { text: 'x'.repeat(4096) } }, 'metadata'],
    [{ password: 'Correct-horse-9' }, 'password'],
    [{ external_id: 'another' }, 'external_id'],
  ])('refuses %j, and makes nobody', async (body, path) => {
    const id = uniqueName('bad-');
    const { status, json } = await put(id, body);
    expect([status, json.error.code, json.error.details[0].path]).toEqual([400, 'validation_failed', path]);
    expect((await get({ external_id: id })).status).toBe(404);
  });

  it('names what is somebody else’s, for a new user and for one who is there', async () => {
    const other = await register(nodes[0].url);
    const id = uniqueName('late-');
    const taken = [
      [{ username: other.username.toUpperCase() }, 'username'],
      [{ email: other.email.toUpperCase() }, 'email'],
    ] as const;
    for (const [body, path] of taken) {
      const { status, json } = await put(id, body);
      expect([status, json.error.code, json.error.details[0].path]).toEqual([409, 'conflict', path]);
    }
    expect((await get({ external_id: id })).status).toBe(404);
    const made = await put(id, { full_name: 'As Before' });
    for (const [body, path] of taken) {
      expect((await put(id, { ...body, full_name: 'Changed' })).json.error.details[0].path).toBe(path);
    }
    expect((await get({ external_id: id })).json.user).toEqual(made.json.user);
    const own = made.json.user.username.toUpperCase();
    expect((await put(id, { username: own })).json.user.username).toBe(own);
  });

  it('changes the given parts, and tells the user’s devices and contacts of what they may see', async () => {
    const id = uniqueName('known-');
    await put(id, { full_name: 'First Name', metadata: { b: 1, a: { _bsontype: 'ObjectId' } } });
    const [session, ann] = [await signIn(id), await register(nodes[0].url)];
    const user = session.user._id;
    const [device, anns] = [
      await connect(nodes[0].url, { ...ann, ...session, id: user }),
      await connect(nodes[0].url, ann),
    ];
    await device.ok('contact:request', { user_id: ann.id });
    await anns.ok('contact:accept', { user_id: user });

    const username = uniqueName('renamed');
    const { json } = await put(id, { username, bio: 'sells things', is_bot: true, metadata: { plan: 'gold' } });
    expect(json).toMatchObject({ created: false, user: { username, full_name: 'First Name', bio: 'sells things' } });
    expect([json.user.is_bot, json.user.metadata]).toEqual([true, { plan: 'gold' }]);
    const renamed = ({ user: one }: { user: { username: string } }) => one.username === username;
    const [own, told] = [await device.next('user:updated', renamed), await anns.next('user:updated', renamed)];
    expect([own.user.is_bot, told.user.is_bot]).toEqual([true, true]);
    for (const shown of [own.user, told.user, (await anns.ok('user:get', { user_id: user })).user]) {
      expect(shown).not.toHaveProperty('metadata');
      expect(shown).not.toHaveProperty('external_id');
    }
    expect(told.user).not.toHaveProperty('email');

    expect((await put(id, { metadata: {}, is_bot: false })).json.user).toMatchObject({ is_bot: false, username });
    expect((await get({ user_id: user })).json.user).not.toHaveProperty('metadata');
    const back = await device.next('user:updated', ({ user: one }) => one.username === username && !one.is_bot);
    expect(back.user).not.toHaveProperty('is_bot');
    device.close();
    anns.close();
  });
});

describe('GET of a user', () => {
  it('finds one by each of the three names, also who registered without the operator', async () => {
    const ann = await register(nodes[0].url);
    const { json } = await get({ username: ann.username.toUpperCase() });
    expect(compile(ServerUserAnswer)(json)).toBe(true);
    expect(json.user).toMatchObject({ _id: ann.id, email: ann.email, is_bot: false });
    expect(json.user).not.toHaveProperty('external_id');
    expect((await get({ user_id: ann.id })).json).toEqual(json);
  });

  it('refuses none, two, one twice, and one that is malformed; an unknown one is not found', async () => {
    const id = '0'.repeat(24);
    for (const query of [
      '',
      `user_id=${id}&username=x`,
      `user_id=${id}&user_id=${id}`,
      'user_id=x',
      'name=x',
      'username=',
    ]) {
      expect((await call('GET', `users?${query}`)).status).toBe(400);
    }
    for (const query of [{ user_id: id }, { username: 'nobody' }, { external_id: 'nobody' }]) {
      expect((await get(query as Record<string, string>)).status).toBe(404);
    }
  });
});

it('the routes are open to server keys alone', async () => {
  const ann = await register(nodes[0].url);
  for (const [method, route] of [
    ['PUT', '/server/users/x'],
    ['GET', '/server/users?username=x'],
    ['POST', '/server/users/x/sessions'],
    ['DELETE', '/server/users/x/sessions'],
    ['POST', '/server/users/x/deactivate'],
    ['POST', '/server/users/x/reactivate'],
    ['POST', `/server/users/by-id/${ann.id}/deactivate`],
    ['DELETE', `/server/messages/${'0'.repeat(24)}`],
  ] as const) {
    for (const token of [ann.access_token, undefined, `${API_KEY}x`]) {
      const answer = await http(nodes[0].url, method, route, token === undefined ? {} : { token });
      expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated']);
    }
  }
});

import { beforeAll, describe, expect, it } from 'vitest';
import { connect, http, register, registerMany, settle, uniqueName } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

const deactivate = async ({ access_token: token, password }: { access_token: string; password: string }) =>
  http(server.url, 'DELETE', '/users/me', { token, body: { password } });

describe('user:search', () => {
  it('finds users by a folded prefix of username or full name, the exact username first', async () => {
    const prefix = uniqueName('s');
    const device = await connect(server.url, await register(server.url));
    await register(server.url, { username: `${prefix}Zeta`, email: `${prefix}z@example.test` });
    await register(server.url, { username: prefix, email: `${prefix}@example.test` });
    await register(server.url, { username: `${prefix}alpha`, email: `${prefix}a@example.test` });
    await register(server.url, { full_name: `${prefix} Élodie` });
    const search = async (query: string, limit?: number) =>
      (await device.ok('user:search', { query, ...(limit ? { limit } : {}) })).users;
    const found = await search(prefix.toUpperCase());
    expect(found.map((user) => user.full_name ?? user.username)).toEqual([
      prefix,
      `${prefix}alpha`,
      `${prefix}Zeta`,
      `${prefix} Élodie`,
    ]);
    expect(await search(`${prefix} elo`)).toHaveLength(1);
    expect((await search(prefix, 2)).map((user) => user.username)).toEqual([prefix, `${prefix}alpha`]);
    for (const user of found) expect(user).not.toHaveProperty('email');
    expect(found[0]).not.toHaveProperty('last_seen');
  });

  it('finds nobody by email, by a part from the middle, or by a pattern', async () => {
    const account = await register(server.url, { full_name: 'Karolina Svetla' });
    const device = await connect(server.url, await register(server.url));
    for (const query of [account.email, 'example.test', 'Svetla', '.*', '^', '%', '(', '\\', ' ', '\u0301']) {
      const { users } = await device.ok('user:search', { query });
      expect(
        users.map((user) => user._id),
        query,
      ).not.toContain(account.id);
    }
    expect((await device.refused('user:search', { query: '' })).code).toBe('validation_failed');
    expect((await device.refused('user:search', { query: 'a', limit: 101 })).code).toBe('validation_failed');
    expect((await device.refused('user:search', { query: { $gt: '' } })).code).toBe('validation_failed');
  });

  it.each([
    ['white space before it', ' Zoe ', 'zoe '],
    ['a no-break space before it', '\u00a0Nina ', 'nina'],
    ['an ideographic space before it', '\u3000花子 ', '花子'],
    ['a direction mark before it', '\u200eLara ', 'LARA'],
    ['a zero-width space before it', '\u200bZora ', 'zora'],
    ['a byte order mark before it', '\ufeffBoris ', 'boris'],
    ['a direction embedding round it, as phone books copy it', '\u202aEmil\u202c ', 'emil'],
    ['a soft hyphen within', 'Anna\u00adlena ', 'annalena'],
    ['wide gaps within', 'Dora  \u00a0', 'dora  '],
    ['a blank of Braille before it', '\u2800Kim ', 'kim'],
  ])('finds a full name with %s', async (_what, full_name, query) => {
    const tail = uniqueName('Tail');
    const account = await register(server.url, { full_name: `${full_name}${tail}` });
    const device = await connect(server.url, await register(server.url));
    const { users } = await device.ok('user:search', { query: `${query} ${tail}` });
    expect(users.map((user) => user._id)).toEqual([account.id]);
  });

  it('finds a name by each of its ways of writing', async () => {
    const tail = uniqueName('Tail');
    const account = await register(server.url, { full_name: `Κώστας Đỗ Straße ${tail}` });
    const device = await connect(server.url, await register(server.url));
    for (const query of ['ΚΩΣ', 'κωστας do', 'ΚΏΣΤΑΣ ĐỖ STRASSE', `κώστας đỗ straße ${tail}`]) {
      const { users } = await device.ok('user:search', { query, limit: 100 });
      expect(
        users.map((user) => user._id),
        query,
      ).toContain(account.id);
    }
  });

  it('leaves out oneself, deactivated users, and both sides of a block', async () => {
    const full_name = uniqueName('Name');
    const [ann, bob, eve, gone] = await Promise.all([1, 2, 3, 4].map(() => register(server.url, { full_name })));
    await deactivate(gone!);
    const [anns, bobs] = await Promise.all([ann!, bob!].map((account) => connect(server.url, account)));
    const search = async (device: typeof anns) =>
      (await device!.ok('user:search', { query: full_name })).users.map((user) => user._id).toSorted();
    expect(await search(anns)).toEqual([bob!.id, eve!.id].toSorted());
    await bobs!.ok('contact:block', { user_id: ann!.id });
    expect(await search(anns)).toEqual([eve!.id]);
    expect(await search(bobs)).toEqual([eve!.id]);
    await bobs!.ok('contact:unblock', { user_id: ann!.id });
    expect(await search(anns)).toEqual([bob!.id, eve!.id].toSorted());
  });
});

describe('user:get', () => {
  it('shows last_seen only to contacts and oneself, and deactivated users as such', async () => {
    const [ann, bob, gone] = await registerMany(server.url, 3);
    const [anns, bobs] = await Promise.all([ann!, bob!].map((account) => connect(server.url, account)));
    const get = async (user_id: string) => (await anns!.ok('user:get', { user_id })).user;
    expect(Object.keys(await get(bob!.id)).toSorted()).toEqual(
      ['_id', 'bio', 'created_at', 'full_name', 'is_active', 'profile_picture', 'username'].toSorted(),
    );
    expect(await get(ann!.id)).toHaveProperty('last_seen');
    await anns!.ok('contact:request', { user_id: bob!.id });
    expect(await get(bob!.id)).not.toHaveProperty('last_seen');
    await bobs!.ok('contact:accept', { user_id: ann!.id });
    expect(await get(bob!.id)).toHaveProperty('last_seen');
    await bobs!.ok('contact:block', { user_id: ann!.id });
    expect(await get(bob!.id)).not.toHaveProperty('last_seen');
    await deactivate(gone!);
    expect((await get(gone!.id)).is_active).toBe(false);
    expect((await anns!.refused('user:get', { user_id: '0'.repeat(24) })).code).toBe('not_found');
  });
});

describe('user:updated', () => {
  it('tells the own devices everything, accepted contacts what is public, and nobody else', async () => {
    const accounts = await registerMany(server.url, 4);
    const [ann, friend, asked, stranger] = await Promise.all(accounts.map((account) => connect(server.url, account)));
    await ann!.ok('contact:request', { user_id: friend!.id });
    await friend!.ok('contact:accept', { user_id: ann!.id });
    await ann!.ok('contact:request', { user_id: asked!.id });
    const patch = (body: object) => http(server.url, 'PATCH', '/users/me', { token: accounts[0]!.access_token, body });
    expect((await patch({ bio: 'new' })).status).toBe(200);
    const own = await ann!.next('user:updated');
    expect(own.user).toMatchObject({ bio: 'new', email: accounts[0]!.email });
    const news = await friend!.next('user:updated');
    expect(news.user).toMatchObject({ _id: ann!.id, bio: 'new' });
    for (const secret of ['email', 'settings', 'last_password_change']) expect(news.user).not.toHaveProperty(secret);
    await settle(asked!, stranger!);
    expect([...asked!.seen('user:updated'), ...stranger!.seen('user:updated')]).toEqual([]);
    friend!.clear();
    await deactivate(accounts[0]!);
    expect((await friend!.next('user:updated')).user.is_active).toBe(false);
  });
});

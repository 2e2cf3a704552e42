import { expect, it } from 'vitest';
import { http, uniqueName } from '../support/client.ts';
import { startProcessForTest } from '../support/server-process.ts';

it('with REGISTRATION=closed nobody can register, and sign-in goes on', async () => {
  const open = await startProcessForTest();
  const username = uniqueName();
  const body = { username, email: `${username}@example.test`, password: 'Correct-horse-9' };
  expect((await http(open.url, 'POST', '/auth/register', { body })).status).toBe(201);
  await open.kill();

  const closed = await startProcessForTest({ env: { REGISTRATION: 'closed' }, dataDir: open.dataDir });
  const another = { ...body, username: uniqueName(), email: `${uniqueName()}@example.test` };
  for (const refused of [another, body]) {
    const { status, json } = await http(closed.url, 'POST', '/auth/register', { body: refused });
    expect([status, json.error.code]).toEqual([403, 'forbidden']);
  }
  const login = { login: username, password: body.password };
  expect((await http(closed.url, 'POST', '/auth/login', { body: login })).status).toBe(200);
});

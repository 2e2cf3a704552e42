import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, http, register } from '../support/client.ts';
import { startEmbeddedDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { paceOf } from './pace.ts';

let server: ServerProcess;
let account: Account;
beforeAll(async () => {
  const database = await startEmbeddedDatabase();
  server = await startServerProcess({ env: { MONGODB_URL: database.url } });
  account = await register(server.url);
  await database.stop();
});
afterAll(() => server?.kill());

const post = (route: string, body: unknown) => http(server.url, 'POST', route, { body });

describe('while the database is down', () => {
  it('every route that needs it is answered unavailable within five seconds', async () => {
    const { access_token: token, refresh_token, username, email, password } = account;
    const paceMs = await paceOf(server.url);
    const startedAt = performance.now();
    const answers = await Promise.all([
      post('/auth/register', { username: 'somebody', email: 'somebody@example.test', password }),
      post('/auth/login', { login: username, password }),
      post('/auth/refresh', { refresh_token }),
      post('/auth/password/forgot', { email }),
      post('/auth/password/reset', { token: 'x', new_password: 'new-password' }),
      http(server.url, 'GET', '/users/me', { token }),
      http(server.url, 'GET', '/auth/sessions', { token }),
      http(server.url, 'POST', '/auth/logout', { token }),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(5000 + paceMs);
    for (const { status, json } of answers) expect([status, json.error.code]).toEqual([503, 'unavailable']);
  });

  it('requests that fail without it are refused as ever', async () => {
    expect((await http(server.url, 'GET', '/users/me', { token: 'x' })).status).toBe(401);
    expect((await post('/auth/login', {})).status).toBe(400);
  });
});

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { connect, http, register } from '../support/client.ts';
import { startProcessForTest } from '../support/server-process.ts';

it.each(['test', 'production'])('the log contains no secret at any level, in %s', async (mode) => {
  const env: Record<string, string> = {
    NODE_ENV: mode,
    LOG_LEVEL: 'trace',
    ...(mode === 'production' ? { JWT_SECRET: 'k'.repeat(40) } : {}),
  };
  const server = await startProcessForTest({ env });
  const account = await register(server.url, { password: 'Secret-of-registration' });
  const post = (route: string, body: unknown, token?: string) =>
    http(server.url, 'POST', route, { body, ...(token ? { token } : {}) });
  const refreshed = (await post('/auth/refresh', { refresh_token: account.refresh_token })).json;
  await post('/auth/login', { login: account.username, password: 'Secret-that-is-wrong' });
  await post('/auth/login', { login: { password: 'Secret-out-of-place' }, password: 'Secret-that-is-wrong' });
  await post('/auth/password/reset', { token: 'Secret-reset-token', new_password: 'Secret-of-reset' });
  await post(
    '/auth/password/change',
    { current_password: 'Secret-of-registration', new_password: 'Secret-that-is-new' },
    refreshed.access_token,
  );
  await http(server.url, 'GET', '/users/me?token=Secret-in-the-address', { token: refreshed.access_token });
  await http(server.url, 'GET', '/nothing/Secret-in-the-path?token=Secret-in-the-address');
  const device = await connect(server.url, { ...account, ...refreshed });
  device.close();
  await connect(server.url, { ...account, access_token: 'Secret-of-handshake' }).catch(() => {});
  await post('/auth/refresh', { refresh_token: account.refresh_token });
  const kept = env.JWT_SECRET ?? (await readFile(path.join(server.dataDir, 'jwt-secret'), 'utf8'));
  expect(await server.stop()).toBe(0);

  const output = server.output();
  // Without it there would be nothing to check.
  expect(output).toContain('/auth/password/change');
  const secrets = ['Secret-', '$2b$', account.access_token, account.refresh_token];
  secrets.push(refreshed.access_token, refreshed.refresh_token);
  // The parts that give a token its power, in case it is logged in pieces.
  secrets.push(account.refresh_token.split('.')[1]!, account.access_token.split('.')[2]!);
  for (const secret of [...secrets, kept]) expect(output).not.toContain(secret);
});

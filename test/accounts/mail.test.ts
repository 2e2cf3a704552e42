import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMailer } from '../../server/accounts/mail/mailer.ts';
import { http, register, uniqueName } from '../support/client.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { closedPort, startSink } from './smtp-sink.ts';

let unreachable: ServerProcess;
let development: ServerProcess;
let production: ServerProcess;
beforeAll(async () => {
  const SMTP_URL = `smtp://127.0.0.1:${await closedPort()}`;
  [unreachable, development, production] = await Promise.all([
    startServerProcess({ env: { SMTP_URL, LOG_LEVEL: 'trace' } }),
    startServerProcess({ env: { LOG_LEVEL: 'warn' } }),
    startServerProcess({ env: { NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'trace' } }),
  ]);
});
afterAll(() => Promise.all([unreachable, development, production].map((server) => server?.stop())));

const forgot = ({ url }: ServerProcess, email: string) =>
  http(url, 'POST', '/auth/password/forgot', { body: { email } });

describe('mail', () => {
  it('is sent again when the mail server refuses it temporarily', async () => {
    const sink = await startSink({ failures: 1 });
    const config = { smtpUrl: sink.url, mailFrom: 'LetsApp <no-reply@example.test>', production: false };
    const mailer = await createMailer({ config, log: pino({ level: 'silent' }) });
    mailer.sendPasswordReset('ann@example.test', `https://chat.example.test/reset-password?token=${'t'.repeat(43)}`);
    expect(await sink.tokenFor('ann@example.test')).toBe('t'.repeat(43));
    await mailer.close();
    await sink.close();
  });

  it('that cannot be sent changes no answer and leaves no token in the log', async () => {
    const account = await register(unreachable.url);
    const [known, unknown] = await Promise.all([
      forgot(unreachable, account.email),
      forgot(unreachable, `${uniqueName()}@example.test`),
    ]);
    expect(known.status).toBe(202);
    expect([known.status, known.json]).toEqual([unknown.status, unknown.json]);
    await expect.poll(() => unreachable.output()).toContain('cannot send a mail');
    expect(unreachable.output()).not.toContain('reset-password?token');
  });

  it('is replaced by a log line at level warn where no mail server is set', async () => {
    const account = await register(development.url);
    await forgot(development, account.email);
    const line = /^.*\/reset-password\?token=([\w-]{43})$/m;
    await expect.poll(() => development.output()).toMatch(line);
    const [whole, token] = line.exec(development.output())!;
    expect(whole).toContain('WARN');
    expect(whole).toContain(`${development.url}/reset-password?token=`);
    const body = { token, new_password: 'new-password' };
    expect((await http(development.url, 'POST', '/auth/password/reset', { body })).status).toBe(204);
  });

  it('is neither sent nor logged in production where no mail server is set', async () => {
    const account = await register(production.url);
    expect((await forgot(production, account.email)).status).toBe(202);
    await expect.poll(() => production.output()).toContain('SMTP_URL is not set');
    expect(production.output()).not.toContain('token=');
  });
});

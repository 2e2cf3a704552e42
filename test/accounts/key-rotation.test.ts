import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { http, register } from '../support/client.ts';
import { startServerProcess } from '../support/server-process.ts';

const [BEFORE, NOW] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
const API_KEY = randomBytes(32).toString('hex');

it('a signing key is replaced without signing anyone out, and what it encrypted outlives it', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-rotation-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  /** Runs a server on the same data with these keys. */
  async function withKeys<T>(env: Record<string, string>, use: (url: string) => Promise<T>): Promise<T> {
    const server = await startServerProcess({ dataDir, env: { API_KEY, WEBHOOK_ALLOW_PRIVATE: 'on', ...env } });
    try {
      return await use(server.url);
    } finally {
      await server.stop();
    }
  }
  const me = (url: string, token: string) => http(url, 'GET', '/users/me', { token }).then(({ status }) => status);
  const refresh = (url: string, refresh_token: string) =>
    http(url, 'POST', '/auth/refresh', { body: { refresh_token } });
  const webhookError = async (url: string) => {
    const { json } = await http(url, 'GET', '/server/webhooks', { token: API_KEY });
    return json.webhooks[0].last_error as string | undefined;
  };

  const { ann, bob } = await withKeys({ JWT_SECRET: BEFORE }, async (url) => {
    const body = { url: 'http://127.0.0.1:9/', types: ['user.updated'] };
    expect((await http(url, 'PUT', '/server/webhooks/mine', { token: API_KEY, body })).status).toBe(200);
    return { ann: await register(url), bob: await register(url) };
  });

  const renewed = await withKeys({ JWT_SECRET: NOW, JWT_ALSO_VERIFY: BEFORE }, async (url) => {
    expect(await me(url, ann.access_token)).toBe(200);
    const { status, json } = await refresh(url, ann.refresh_token);
    expect(status).toBe(200);
    // A refresh token of the old key that comes twice is still known as stolen, and ends its session.
    expect((await refresh(url, bob.refresh_token)).status).toBe(200);
    expect((await refresh(url, bob.refresh_token)).status).toBe(401);
    expect(await me(url, bob.access_token)).toBe(401);
    return json as { access_token: string; refresh_token: string };
  });

  await withKeys({ JWT_SECRET: NOW }, async (url) => {
    expect(await me(url, ann.access_token)).toBe(401);
    expect(await me(url, renewed.access_token)).toBe(200);
    expect((await refresh(url, renewed.refresh_token)).status).toBe(200);
    const { status } = await http(url, 'PATCH', '/users/me', {
      token: renewed.access_token,
      body: { bio: 'lives somewhere' },
    });
    expect(status).toBe(200);
    await expect.poll(() => webhookError(url), { timeout: 10_000 }).toBeDefined();
    // Nobody listens there; but it could be signed.
    expect(await webhookError(url)).not.toContain('another signing key');
  });
});

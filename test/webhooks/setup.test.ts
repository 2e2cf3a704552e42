/** How webhooks are set up, by a server key. */

import { randomBytes } from 'node:crypto';
import { Webhook as Signed } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebhookSecrets, signatureHeaders } from '../../server/webhooks/secrets.ts';
import { WEBHOOK_TYPES } from '../../shared/contract/webhooks.ts';
import { http, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { API_KEY, operator } from './receiver.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { API_KEY } });
});
afterAll(() => server.stop());

// Reserved by RFC 2606: it never resolves.
const URL = 'https://receiver.invalid/hook';
const put = (name: string, body: unknown) => operator(server.url, 'PUT', `/${name}`, body);
const listed = async () => (await operator(server.url, 'GET', '')).json.webhooks;

describe('a webhook', () => {
  it('is made with its secret, listed without it, replaced and removed', async () => {
    const made = await put('orders', { url: URL });
    expect(made.status).toBe(200);
    expect(made.json).toEqual({
      webhook: {
        name: 'orders',
        url: URL,
        types: [...WEBHOOK_TYPES],
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        state: 'ok',
        behind: 0,
      },
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const narrowed = await put('orders', { url: `${URL}/2`, types: ['call.ended'] });
    expect(narrowed.json).toEqual({ webhook: { ...made.json.webhook, url: `${URL}/2`, types: ['call.ended'] } });
    expect(await listed()).toEqual([narrowed.json.webhook]);
    // Without types: all.
    expect((await put('orders', { url: URL })).json.webhook).toEqual(made.json.webhook);
    const rotated = await put('orders', { url: URL, rotate_secret: true });
    expect(rotated.json.secret).toMatch(/^whsec_/);
    expect(rotated.json.secret).not.toBe(made.json.secret);
    expect((await operator(server.url, 'DELETE', '/orders')).status).toBe(204);
    expect((await operator(server.url, 'DELETE', '/orders')).status).toBe(404);
    expect(await listed()).toEqual([]);
  });

  it('of one name is made once, however many ask at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => put('twice', { url: URL })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(answers.filter(({ json }) => json.secret)).toHaveLength(1);
    expect(await listed()).toHaveLength(1);
    await operator(server.url, 'DELETE', '/twice');
  });

  it.each<[string, unknown, string?]>([
    ['no URL', {}],
    ['http', { url: 'http://receiver.invalid/' }],
    ['no URL at all', { url: 'receiver' }],
    ['a password', { url: 'https://me:secret@receiver.invalid/' }],
    ['loopback', { url: 'https://127.0.0.1/' }],
    ['loopback as one number', { url: 'https://2130706433/' }],
    ['a name that leads to loopback', { url: 'https://localhost/' }],
    ['a private address', { url: 'https://10.1.2.3/' }],
    ['a shared address', { url: 'https://100.64.0.1/' }],
    ['a link-local address', { url: 'https://169.254.169.254/' }],
    ['IPv6 loopback', { url: 'https://[::1]/' }],
    ['an IPv4-mapped address', { url: 'https://[::ffff:127.0.0.1]/' }],
    ['a private address by NAT64', { url: 'https://[64:ff9b::10.0.0.1]/' }],
    ['a unique local address', { url: 'https://[fd00::1]/' }],
    ['an unknown type', { url: URL, types: ['message.read'] }],
    ['no types', { url: URL, types: [] }],
    ['a type twice', { url: URL, types: ['call.ended', 'call.ended'] }],
    ['an unknown field', { url: URL, secret: 'mine' }],
    ['a name with a dot', { url: URL }, 'a.b'],
    ['a name that is too long', { url: URL }, 'a'.repeat(65)],
  ])('with %s is refused', async (_what, body, name = 'refused') => {
    const { status, json } = await put(name, body);
    expect([status, json.error.code]).toEqual([400, 'validation_failed']);
    expect(await listed()).toEqual([]);
  });

  it('is nobody’s business but the operator’s', async () => {
    const { access_token } = await register(server.url);
    for (const token of [undefined, access_token, 'lsk_nobody_0123456789']) {
      for (const [method, route, body] of [
        ['GET', '', undefined],
        ['PUT', '/x', { url: URL }],
        ['DELETE', '/x', undefined],
        ['POST', '/x/replay', { conversation_id: 'x', after_rev: 0 }],
      ] as const) {
        const options = { ...(token ? { token } : {}), ...(body ? { body } : {}) };
        expect((await http(server.url, method, `/server/webhooks${route}`, options)).status).toBe(401);
      }
    }
  });
});

describe('a secret', () => {
  const secrets = createWebhookSecrets([randomBytes(32)]);

  it('is stored so that it can sign, but not read without the key', () => {
    const { shown, sealed } = secrets.make();
    const key = secrets.open(sealed);
    expect(`whsec_${key.toString('base64')}`).toBe(shown);
    expect(Buffer.from(sealed, 'base64').includes(key)).toBe(false);
    expect(() => createWebhookSecrets([randomBytes(32)]).open(sealed)).toThrow();
  });

  it('is opened by a key before the first, and sealed anew under the first', () => {
    const [before, now] = [randomBytes(32), randomBytes(32)];
    const { sealed } = createWebhookSecrets([before]).make();
    const rotated = createWebhookSecrets([now, before]);
    expect(rotated.open(sealed)).toEqual(createWebhookSecrets([before]).open(sealed));
    const resealed = rotated.reseal(sealed)!;
    expect(createWebhookSecrets([now]).open(resealed)).toEqual(rotated.open(sealed));
    expect(rotated.reseal(resealed)).toBeUndefined();
    expect(createWebhookSecrets([randomBytes(32), now]).reseal(sealed)).toBeUndefined();
  });

  it('signs as Standard Webhooks says', () => {
    const { shown, sealed } = secrets.make();
    const body = JSON.stringify({ content: 'grüße 👋' });
    const headers = signatureHeaders(secrets.open(sealed), 'msg_1', new Date(), body);
    expect(new Signed(shown).verify(body, headers)).toEqual({ content: 'grüße 👋' });
    expect(() => new Signed(shown).verify(`${body} `, headers)).toThrow();
  });
});

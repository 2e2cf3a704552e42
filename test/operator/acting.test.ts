/** `X-Act-As`: a server key that does what a user could do over HTTP. */
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryRateLimiter } from '../../server/dispatch/rate-limits.ts';
import { known, type Sent } from '../../server/dispatch/steps.ts';
import { createKeyHooks } from '../../server/operator/keys/hooks.ts';
import { type Account, connect, http, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const API_KEY = 'the-key-of-the-setting-0123456789';

let server: TestServer;
let ann: Account;
let bob: Account;
beforeAll(async () => {
  server = await startServer({ env: { API_KEY, RATE_LIMITS: 'on' } });
  [ann, bob] = [await register(server.url), await register(server.url)];
});
afterAll(() => server.stop());

const api = (route: string, body: unknown, headers: Record<string, string>, token = API_KEY) =>
  http(server.url, 'POST', `/api/${route}`, { token, headers, body });
const asAnn = () => ({ 'x-act-as': ann.id });

describe('with X-Act-As, a server key', () => {
  it('sends as the user, whose devices all get the event', async () => {
    const devices = [await connect(server.url, ann), await connect(server.url, bob)];
    const answer = await api('message/send', { recipient_id: bob.id, content: 'from the shop' }, asAnn());
    expect([answer.status, answer.json.data.message.sender_id]).toEqual([200, ann.id]);
    for (const device of devices) {
      await device.next('message:new', ({ message }) => message._id === answer.json.data.message._id);
      device.close();
    }
  });

  it('uploads as the user, and reads what the user may read', async () => {
    const form = new FormData();
    form.append('file', new Blob(['a bill']), 'bill.txt');
    const headers = { authorization: `Bearer ${API_KEY}`, ...asAnn() };
    const upload = await fetch(`${server.url}/files`, { method: 'POST', headers, body: form });
    const { file } = (await upload.json()) as { file: { _id: string; uploader_id: string } };
    expect([upload.status, file.uploader_id]).toEqual([201, ann.id]);
    const read = (actAs: string) =>
      fetch(`${server.url}/files/${file._id}`, { headers: { ...headers, 'x-act-as': actAs } });
    expect(await (await read(ann.id)).text()).toBe('a bill');
    expect((await read(bob.id)).status).toBe(404);
  });

  it('has the user’s rights and no more', async () => {
    const device = await connect(server.url, bob);
    await device.ok('contact:block', { user_id: ann.id });
    const answer = await api('message/send', { recipient_id: bob.id, content: 'x' }, asAnn());
    expect([answer.status, answer.json.error.code]).toEqual([403, 'forbidden']);
    await device.ok('contact:unblock', { user_id: ann.id });
    device.close();
  });

  it('does not reach commands of a device', async () => {
    for (const route of ['auth/renew', 'presence/set', 'call/initiate', 'call/accept', 'call/join', 'call/signal']) {
      expect((await api(route, {}, asAnn())).status).toBe(404);
    }
  });

  it('spends nothing of the user’s budgets', async () => {
    const [carl, dora] = [await register(server.url), await register(server.url)];
    const send = (i: number) =>
      api('message/send', { recipient_id: dora.id, content: `${i}` }, { 'x-act-as': carl.id });
    const answers = await Promise.all(Array.from({ length: 150 }, (_, i) => send(i)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const device = await connect(server.url, carl);
    await device.ok('message:send', { recipient_id: dora.id, content: 'by hand' });
    device.close();
  });
});

describe('a server key is refused', () => {
  it('without X-Act-As, and with one that is no id', async () => {
    const media = ['/media/', '/files/'].map((path) => `${path}${'0'.repeat(24)}`);
    for (const headers of [
      {},
      { 'x-act-as': 'nobody' },
      { 'x-act-as': ann.id.toUpperCase() },
      { 'x-act-as': `${ann.id}, ${bob.id}` },
    ]) {
      const answers = [
        await api('group/list', {}, headers as Record<string, string>),
        ...(await Promise.all(
          media.map((path) =>
            http(server.url, 'GET', path, { token: API_KEY, headers: headers as Record<string, string> }),
          ),
        )),
        await http(server.url, 'POST', '/media', { token: API_KEY, headers: headers as Record<string, string> }),
      ];
      for (const { status, json } of answers) {
        expect([status, json.error.code, json.error.details[0].path]).toEqual([400, 'validation_failed', 'X-Act-As']);
      }
    }
  });

  it('for a user who is not there, or whose account was deleted', async () => {
    const gone = await register(server.url);
    const body = { password: gone.password };
    await http(server.url, 'DELETE', '/users/me', { token: gone.access_token, body });
    for (const id of ['0'.repeat(24), gone.id]) {
      const answer = await api('group/list', {}, { 'x-act-as': id });
      expect([answer.status, answer.json.error.code]).toEqual([404, 'not_found']);
    }
  });

  it('when it is a user’s access token instead', async () => {
    for (const id of [ann.id, bob.id]) {
      expect((await api('group/list', {}, { 'x-act-as': id }, ann.access_token)).status).toBe(401);
    }
    expect((await api('group/list', {}, {}, ann.access_token)).status).toBe(200);
  });
});

describe('the budget of a key', () => {
  it('is 1,000 requests at once and 200 in a second, on all nodes together, and each key has its own', async () => {
    let now = 0;
    const rateLimiter = createMemoryRateLimiter(() => now);
    const keys = { isKey: () => true, identify: async (id: string) => ({ id, name: id }) };
    const collections = {} as Parameters<typeof createKeyHooks>[0]['collections'];
    Object.assign(collections, { users: {} });
    const hooks = [1, 2].map(() => createKeyHooks({ collections, keys, rateLimiter }));
    const use = (key: string, node: number) =>
      hooks[node]!.requireServerKey({ headers: { authorization: `Bearer ${key}` } } as FastifyRequest);
    for (let i = 0; i < 1000; i++) await use('one', i % 2);
    await expect(use('one', 0)).rejects.toMatchObject({ code: 'rate_limited', details: { retry_after_ms: 5 } });
    await use('other', 0);
    now = 1000;
    for (let i = 0; i < 200; i++) await use('one', i % 2);
    await expect(use('one', 1)).rejects.toMatchObject({ code: 'rate_limited' });
  });
});

it('commands that belong to a session are unknown to a caller without one', () => {
  const sent = (sessionId: string | undefined, of_session: boolean) =>
    known({ caller: { sessionId }, route: { declaration: { of_session } }, args: [], dueAt: 0 } as unknown as Sent);
  expect(() => sent(undefined, true)).toThrow('no such command');
  expect(sent('one', true).payload).toEqual({});
  expect(sent(undefined, false).payload).toEqual({});
});

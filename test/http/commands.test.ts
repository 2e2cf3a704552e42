/** Commands over HTTP: PROTOCOL section 11. */
import { beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../shared/contract/index.ts';
import { type Account, connect, type HttpAnswer, http, register, registerMany } from '../support/client.ts';
import { sharedServer, startServerForTest, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: Account;
let bob: Account;
beforeAll(async () => {
  server = await sharedServer();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
});

const api = (account: Account, route: string, body?: unknown) =>
  http(server.url, 'POST', `/api/${route}`, { token: account.access_token, body });

describe('a command over HTTP', () => {
  it('is answered as on the socket, and its events reach all devices of the caller', async () => {
    const devices = await Promise.all([connect(server.url, ann), connect(server.url, bob)]);
    const answer = await api(ann, 'message/send', { recipient_id: bob.id, content: 'by post' });
    expect(answer.status).toBe(200);
    const { message } = answer.json.data;
    for (const device of devices) {
      expect(await device.next('message:new', (event) => event.message._id === message._id)).toEqual({ message });
      device.close();
    }
    const { json } = await api(ann, 'message/history', { recipient_id: bob.id });
    expect(json.data.messages.at(-1)).toEqual(message);
  });

  it('is idempotent by client_message_id, across HTTP and socket', async () => {
    const device = await connect(server.url, ann);
    const payload = { recipient_id: bob.id, content: 'once', client_message_id: 'one' };
    const first = await device.ok('message:send', payload);
    const again = await api(ann, 'message/send', payload);
    expect(again.json.data).toEqual({ message: first.message, duplicate: true });
    device.close();
  });

  it('treats an absent body as an empty payload', async () => {
    const { status, json } = await api(ann, 'sync');
    expect(status).toBe(200);
    expect(json.data.conversations).toHaveLength(1);
    expect((await api(bob, 'group/list')).json).toEqual({ data: { groups: [] } });
  });

  it('starts and stops typing without a connection', async () => {
    const device = await connect(server.url, bob);
    expect((await api(ann, 'typing/start', { recipient_id: bob.id })).json).toEqual({ data: {} });
    expect(await device.next('typing')).toMatchObject({ user_id: ann.id, is_typing: true });
    await api(ann, 'typing/stop', { recipient_id: bob.id });
    await device.next('typing', ({ is_typing }) => !is_typing);
    device.close();
  });
});

describe('refusals over HTTP', () => {
  it('carry the code and status of the contract', async () => {
    const cases: [string, unknown, number, string][] = [
      ['message/send', { recipient_id: ann.id, content: 'to myself' }, 400, 'validation_failed'],
      ['message/send', { recipient_id: bob.id, content: 'x', more: 1 }, 400, 'validation_failed'],
      ['message/send', { recipient_id: bob.id, content: 'a\0b' }, 400, 'validation_failed'],
      ['message/send', { recipient_id: bob.id, content: { $gt: '' } }, 400, 'validation_failed'],
      ['message/edit', { message_id: '0'.repeat(24), content: 'x' }, 404, 'not_found'],
      ['group/get', { group_id: '0'.repeat(24) }, 404, 'not_found'],
      ['message/send', [], 400, 'validation_failed'],
    ];
    for (const [route, body, status, code] of cases) {
      const answer = await api(ann, route, body);
      expect([route, answer.status, answer.json.error.code]).toEqual([route, status, code]);
    }
  });

  it('for a missing token come before any other', async () => {
    const answer = await http(server.url, 'POST', '/api/message/send', { body: { nonsense: true } });
    expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated']);
  });

  it('follow the rules of every JSON route', async () => {
    const send = (headers: Record<string, string>, body: string) =>
      fetch(`${server.url}/api/message/send`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ann.access_token}`, ...headers },
        body,
      });
    expect((await send({ 'content-type': 'text/plain' }, 'x')).status).toBe(415);
    expect((await send({ 'content-type': 'application/json' }, '{')).status).toBe(400);
    expect((await send({ 'content-type': 'application/json' }, `"${'x'.repeat(257 * 1024)}"`)).status).toBe(413);
  });

  it('are not_found for commands that need a connection and for unknown ones', async () => {
    const ofDevices = Object.entries(commands).flatMap(([name, { device_only }]) => (device_only ? [name] : []));
    expect(ofDevices.sort()).toEqual([
      'auth:renew',
      'call:accept',
      'call:initiate',
      'call:join',
      'call:signal',
      'presence:set',
    ]);
    for (const name of [...ofDevices, 'message:nonsense', 'message']) {
      const answer = await api(ann, name.replace(':', '/'), {});
      expect([name, answer.status, answer.json.error.code]).toEqual([name, 404, 'not_found']);
    }
  });
});

it('HTTP commands of a session share one budget, apart from that of its sockets', async () => {
  const limited = await startServerForTest({ env: { RATE_LIMITS: 'on' } });
  const [account, other] = await registerMany(limited.url, 2);
  // Costs one point, so that the user's points last longer than the budget of the session.
  const body = { recipient_id: other!.id };
  const stop = () => http(limited.url, 'POST', '/api/typing/stop', { token: account!.access_token, body });
  let refused: HttpAnswer | undefined;
  // In rounds: on a slow machine the budget refills during one.
  for (let round = 0; round < 20 && !refused; round++) {
    const answers = await Promise.all(Array.from({ length: 320 }, stop));
    expect(new Set(answers.map(({ status }) => status))).toContain(200);
    refused = answers.find(({ status }) => status === 429);
  }
  expect(refused?.json.error).toMatchObject({ code: 'rate_limited', details: { retry_after_ms: expect.any(Number) } });
  const device = await connect(limited.url, account!);
  await device.ok('typing:stop', body);
  device.close();
});

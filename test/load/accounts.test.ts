import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { makeAccount, renewInTime } from './accounts.ts';

const SIGNED_IN = { user: { _id: 'u1' }, access_token: 'a', refresh_token: 'r', expires_in: 900 };
const LIMITED = (retry_after_ms: number) => ({ error: { code: 'rate_limited', details: { retry_after_ms } } });

/** Answers requests one after the other as told, and keeps what was asked. */
async function serverThatAnswers(...answers: [status: number, body: object][]) {
  const asked: { line: string; bearer: string | undefined; at: number }[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    asked.push({
      line: `${request.method} ${request.url}`,
      bearer: request.headers.authorization,
      at: performance.now(),
    });
    const [status, body] = answers.shift()!;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const notices: string[] = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, notices, maker: { url, onNotice: (text: string) => void notices.push(text) } };
}

it('registration waits as long as the server asks, and says why', async () => {
  const { maker, asked, notices } = await serverThatAnswers([429, LIMITED(300)], [201, SIGNED_IN]);
  expect(await makeAccount(maker, 'name')).toMatchObject({ user_id: 'u1', access_token: 'a' });
  expect(asked[1]!.at - asked[0]!.at).toBeGreaterThanOrEqual(295);
  expect(notices).toEqual([expect.stringContaining('RATE_LIMITS=off')]);
});

it('registration gives up where it would wait for minutes, and says what to set', async () => {
  const { maker } = await serverThatAnswers([429, LIMITED(600_000)]);
  await expect(makeAccount(maker, 'name')).rejects.toThrow(/in 600 s.*RATE_LIMITS=off/);
});

it('a refusal ends it with what the server said', async () => {
  const { maker } = await serverThatAnswers([403, { error: { code: 'forbidden' } }]);
  await expect(makeAccount(maker, 'name')).rejects.toThrow('403 {"error":{"code":"forbidden"}}');
});

it('with a server key accounts are made by the server API', async () => {
  const { maker, asked } = await serverThatAnswers([201, { user: {}, created: true }], [201, SIGNED_IN]);
  expect(await makeAccount({ ...maker, serverKey: 'lsk_1' }, 'load-1.0')).toMatchObject({ user_id: 'u1' });
  expect(asked.map(({ line }) => line)).toEqual(['PUT /server/users/load-1.0', 'POST /server/users/load-1.0/sessions']);
  expect(asked.map(({ bearer }) => bearer)).toEqual(['Bearer lsk_1', 'Bearer lsk_1']);
});

it('tokens are renewed before they expire, until the server refuses', async () => {
  const renewed = { access_token: 'a2', refresh_token: 'r2', expires_in: 0.02 };
  const { maker, asked } = await serverThatAnswers([200, renewed], [401, {}]);
  const account = { user_id: 'u1', access_token: 'a', refresh_token: 'r', expires_in: 0.04 };
  let times = 0;
  await new Promise<void>((failed) => renewInTime(maker.url, account, { renewed: () => void times++, failed }));
  expect(times).toBe(1);
  expect(account).toMatchObject({ access_token: 'a2', refresh_token: 'r2' });
  expect(asked.map(({ line }) => line)).toEqual(['POST /auth/refresh', 'POST /auth/refresh']);
});

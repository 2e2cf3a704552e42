import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpAnswer, http } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { RATE_LIMITS: 'on', TRUST_PROXY: 'on' } });
});
afterAll(() => server.stop());

/** The headers of a proxy: it appends the address that it saw to what the client wrote. */
let written = 0;
const from = (address: string) => ({ 'x-forwarded-for': `9.9.9.${written++}, ${address}` });

const register = (index: number) => {
  const username = `limited${index}`;
  const body = { username, email: `${username}@example.test`, password: 'some-password' };
  // Some proxies add the client's port, another for each connection.
  return http(server.url, 'POST', '/auth/register', { body, headers: from(`10.0.0.1:${50_000 + index}`) });
};

/** Fails to sign in, each time from another network. */
const fail = (login: string, index: number) =>
  http(server.url, 'POST', '/auth/login', {
    body: { login, password: 'wrong-password' },
    headers: from(`10.0.1.${index}`),
  });

/** Sends ten requests side by side, then one more. */
async function eleven(send: (index: number) => Promise<HttpAnswer>): Promise<HttpAnswer[]> {
  const ten = await Promise.all(Array.from({ length: 10 }, (_, index) => send(index)));
  return [...ten, await send(10)];
}

const statuses = (answers: HttpAnswer[]) => answers.map(({ status }) => status);

describe('the rate limit', () => {
  it('of registrations refuses the eleventh of a network and says when to try again', async () => {
    const answers = await eleven(register);
    expect(statuses(answers)).toEqual([...Array(10).fill(201), 429]);
    const { json, headers } = answers[10]!;
    expect(json.error.code).toBe('rate_limited');
    expect(json.error.details.retry_after_ms).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each(['limited0', 'nobody-of-this-name'])('of sign-ins refuses the eleventh for %s in any case', async (login) => {
    const answers = await eleven((index) => fail(index % 2 ? login.toUpperCase() : login, index));
    expect(statuses(answers)).toEqual([...Array(10).fill(401), 429]);
  });

  it('of sign-ins counts the username and the address of an account together', async () => {
    const answers = await eleven((index) => fail(index % 2 ? 'limited1' : 'LIMITED1@example.test', index));
    expect(statuses(answers)).toEqual([...Array(10).fill(401), 429]);
  });
});

/** Floods of sign-ins and of requests for a new password, and what their victims notice of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type HttpAnswer, http, uniqueName } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Sink, startSink } from './smtp-sink.ts';

let sink: Sink;
let server: TestServer;
beforeAll(async () => {
  sink = await startSink();
  // Dear enough for a flood to queue, cheap enough for a busy machine.
  server = await startServer({
    env: { RATE_LIMITS: 'on', TRUST_PROXY: 'on', SMTP_URL: sink.url, BCRYPT_COST: '6' },
  });
});
afterAll(async () => {
  await server.stop();
  await sink.close();
});

const post = (route: string, body: unknown, address: string): Promise<HttpAnswer> =>
  http(server.url, 'POST', route, { body, headers: { 'x-forwarded-for': address } });

let networks = 0;
const newNetwork = () => `10.1.${Math.floor(++networks / 250)}.${networks % 250}`;

async function registerFrom(address: string): Promise<Account> {
  const username = uniqueName();
  const account = { username, email: `${username}@example.test`, password: 'Correct-horse-9' };
  const { json } = await post('/auth/register', account, address);
  return { ...json, ...account, id: json.user._id };
}

const signIn = async ({ username, password }: Account, address: string) =>
  (await post('/auth/login', { login: username, password }, address)).status;

/** Tries wrong passwords until they are not even compared any more. */
async function guess({ username }: Account, address: string): Promise<number> {
  for (let tried = 0; ; tried++) {
    const { status } = await post('/auth/login', { login: username, password: `wrong ${tried}` }, address);
    if (status === 429) return tried;
  }
}

describe('a flood of sign-ins for names of nobody', () => {
  it('from one network delays those from another by no more than what is being compared already', {
    timeout: 120_000,
  }, async () => {
    const honest = await registerFrom(newNetwork());
    const address = newNetwork();
    let answered = 0;
    const flood = Array.from({ length: 60 }, (_, i) =>
      post('/auth/login', { login: `nobody${i}`, password: 'x' }, address).then(({ status }) => {
        answered++;
        return status;
      }),
    );
    await Promise.race(flood);
    const before = answered;
    expect(await signIn(honest, newNetwork())).toBe(200);
    // In one line, all of the flood would have been answered by now.
    expect(answered - before).toBeLessThan(30);
    expect(new Set(await Promise.all(flood))).toEqual(new Set([401]));
  });
});

describe('wrong passwords of a stranger', () => {
  it('use up the stranger’s attempts, ten a minute, and not the owner’s', async () => {
    const owner = await registerFrom(newNetwork());
    const stranger = newNetwork();
    expect(await guess(owner, stranger)).toBe(10);
    expect(await signIn(owner, stranger)).toBe(429);
    expect(await signIn(owner, newNetwork())).toBe(200);
  });

  it('from many networks end after a hundred a minute, except where the owner’s devices are', {
    timeout: 120_000,
  }, async () => {
    const home = newNetwork();
    const owner = await registerFrom(home);
    const tried = await Promise.all(Array.from({ length: 11 }, () => guess(owner, newNetwork())));
    expect(tried.reduce((sum, one) => sum + one, 0)).toBe(100);
    expect(await signIn(owner, newNetwork())).toBe(429);
    expect(await signIn(owner, home)).toBe(200);
    // A device that is signed in already comes from wherever it is by now.
    const elsewhere = newNetwork();
    expect((await post('/auth/refresh', { refresh_token: owner.refresh_token }, elsewhere)).status).toBe(200);
    expect(await signIn(owner, elsewhere)).toBe(200);
  });

  it('say nothing of who has an account', { timeout: 120_000 }, async () => {
    const nobody = { username: uniqueName() } as Account;
    const tried = await Promise.all(Array.from({ length: 11 }, () => guess(nobody, newNetwork())));
    expect(tried.reduce((sum, one) => sum + one, 0)).toBe(100);
  });
});

describe('requests for a new password by a stranger', () => {
  it('do not keep the owner from asking for one, nor fill the mailbox, nor make the last link void', async () => {
    const owner = await registerFrom(newNetwork());
    const forgot = async (address: string) =>
      (await post('/auth/password/forgot', { email: owner.email }, address)).status;
    for (let network = 0; network < 3; network++) {
      const stranger = newNetwork();
      const statuses = [];
      for (let asked = 0; asked < 6; asked++) statuses.push(await forgot(stranger));
      expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    }
    expect(await forgot(newNetwork())).toBe(202);
    await expect.poll(() => sink.count(owner.email)).toBe(5);
    const statuses = [];
    for (let mail = 0; mail < 5; mail++) {
      const body = { token: await sink.tokenFor(owner.email), new_password: 'brand-new-password' };
      statuses.push((await post('/auth/password/reset', body, newNetwork())).status);
    }
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
  });
});

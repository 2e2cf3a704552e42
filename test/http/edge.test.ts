import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WireError } from '../../shared/contract/errors.ts';
import { http, register } from '../support/client.ts';
import { startProgram, startServer, startServerForTest, type TestServer } from '../support/server.ts';

const FRIEND = 'https://app.example.test';
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { CORS_ORIGINS: `${FRIEND}, http://localhost:5173` } });
});
afterAll(() => server.stop());

const send = (route: string, init: RequestInit) => fetch(server.url + route, init);
const json = { 'content-type': 'application/json' };
const codeOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: WireError };
  return [response.status, error.code];
};

/** Sends bytes as they are and reads until the server closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error(`still open after: ${answer}`)));
  });
}

describe('a request', () => {
  it.each([
    ['malformed JSON', '{"login":', 400, 'validation_failed'],
    ['JSON that is not UTF-8', Buffer.from('7b2261223a22ff227d', 'hex'), 400, 'validation_failed'],
    ['no object', '"text"', 400, 'validation_failed'],
    ['__proto__', '{"__proto__":{"login":"x"},"login":"a","password":"b"}', 400, 'validation_failed'],
    ['deep nesting', `{"login":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'validation_failed'],
    ['a NUL', '{"login":"a\\u0000","password":"b"}', 400, 'validation_failed'],
    ['a lone surrogate', '{"login":"\\ud800","password":"b"}', 400, 'validation_failed'],
    ['more than 256 KiB', JSON.stringify({ login: 'x'.repeat(256 * 1024) }), 413, 'payload_too_large'],
  ])('with %s is refused by the contract', async (_what, body, status, code) => {
    expect(await codeOf(await send('/auth/login', { method: 'POST', headers: json, body }))).toEqual([status, code]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data', 'nonsense'])(
    'with a body of type %s is refused with 415',
    async (type) => {
      const response = await send('/auth/login', { method: 'POST', headers: { 'content-type': type }, body: 'a=1' });
      expect(await codeOf(response)).toEqual([415, 'unsupported_media_type']);
    },
  );

  it('with a body of no type is refused with 415, one without a body is taken as {}', async () => {
    const body = new Blob(['{}']);
    expect(await codeOf(await send('/auth/login', { method: 'POST', body }))).toEqual([415, 'unsupported_media_type']);
    expect(await codeOf(await send('/auth/login', { method: 'POST' }))).toEqual([400, 'validation_failed']);
    const { access_token } = await register(server.url);
    const headers = { ...json, authorization: `bearer ${access_token}` };
    expect((await send('/users/me', { method: 'PATCH', headers })).status).toBe(200);
    expect((await send('/users/me', { method: 'PATCH', headers, body: 'null' })).status).toBe(200);
    expect((await send('/auth/logout', { method: 'POST', headers })).status).toBe(204);
  });

  it('that takes no body takes none but {}', async () => {
    const { access_token: token } = await register(server.url);
    const logout = (body: unknown) => http(server.url, 'POST', '/auth/logout', { token, body });
    for (const body of [{ everywhere: true }, [], 'x', 0]) {
      expect([body, (await logout(body)).json.error?.code]).toEqual([body, 'validation_failed']);
    }
    expect((await logout({})).status).toBe(204);
  });

  it('for a route or method that is not there is answered 404, whatever its body is', async () => {
    for (const [method, route, type] of [
      ['GET', '/nothing', undefined],
      ['POST', '/nothing', 'text/plain'],
      ['POST', '/nothing', 'application/json'],
      ['GET', '/auth/login', undefined],
      ['PUT', '/users/me', 'application/json'],
      ['DELETE', '/auth/register', 'application/json'],
    ] as const) {
      const init = type === undefined ? { method } : { method, headers: { 'content-type': type }, body: '{' };
      expect(await codeOf(await send(route, init))).toEqual([404, 'not_found']);
    }
  });

  it('that is malformed itself gets an answer in the form of the contract', async () => {
    for (const text of [
      'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'NONSENSE\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n',
    ]) {
      const answer = await raw(text);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(JSON.parse(answer.split('\r\n\r\n')[1]!).error.code).toBe('validation_failed');
    }
    const large = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`);
    expect(JSON.parse(large.split('\r\n\r\n')[1]!).error.code).toBe('payload_too_large');
  });

  it('shows no internals of the server, and is answered with careful headers', async () => {
    const { headers } = await send('/nothing', {});
    expect(headers.get('x-powered-by')).toBe(null);
    expect(headers.get('server')).toBe(null);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('a page', () => {
  const ask = (origin: string, method = 'GET', headers: Record<string, string> = {}) =>
    send('/users/me', { method, headers: { origin, ...headers } });

  it('of another origin is refused, with a token too', async () => {
    const { access_token } = await register(server.url);
    const strangers = ['https://evil.example', 'null', `${FRIEND}:444`, 'http://app.example.test', `${FRIEND}/`, 'x'];
    for (const origin of [...strangers, server.url.replace('127.0.0.1', 'localhost')]) {
      const response = await ask(origin, 'GET', { authorization: `Bearer ${access_token}` });
      expect(response.headers.get('access-control-allow-origin')).toBe(null);
      expect(await codeOf(response)).toEqual([403, 'forbidden']);
    }
  });

  it('of the own origin, over http or https, and of the configured ones is served', async () => {
    for (const origin of [server.url, server.url.replace('http:', 'https:'), FRIEND, 'http://localhost:5173']) {
      const response = await ask(origin);
      expect(response.status).toBe(401);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toContain('ETag');
      expect(response.headers.get('vary')).toBe('Origin');
    }
  });

  it('may ask before it sends, if it is allowed', async () => {
    const asks = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' };
    const allowed = await ask(FRIEND, 'OPTIONS', asks);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization/i);
    expect((await ask('https://evil.example', 'OPTIONS', asks)).status).toBe(403);
  });
});

describe('while the database is down', () => {
  it('every route that needs it answers unavailable, within five seconds', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-down-'));
    const database = await startProgram('server/embedded/main.ts', { DATA_DIR: dataDir, DATABASE_PORT: '0' });
    const own = await startServerForTest({ env: { MONGODB_URL: database.url } });
    const account = await register(own.url);
    database.child.kill('SIGKILL');
    await database.exited;
    await rm(dataDir, { recursive: true, force: true });
    const { access_token: token, refresh_token, username, email, password } = account;
    const post = (route: string, body: unknown) => http(own.url, 'POST', route, { body });
    const began = performance.now();
    const answers = await Promise.all([
      post('/auth/register', { username: 'somebody', email: 'somebody@example.test', password }),
      post('/auth/login', { login: username, password }),
      post('/auth/refresh', { refresh_token }),
      post('/auth/password/forgot', { email }),
      post('/auth/password/reset', { token: 'x', new_password: 'new-password' }),
      http(own.url, 'GET', '/users/me', { token }),
      http(own.url, 'GET', '/auth/sessions', { token }),
      http(own.url, 'POST', '/auth/logout', { token }),
    ]);
    expect(performance.now() - began).toBeLessThan(5000);
    for (const { status, json: answer } of answers) expect([status, answer.error.code]).toEqual([503, 'unavailable']);
    // What can be told without the database still is.
    expect((await http(own.url, 'GET', '/users/me', { token: 'x' })).status).toBe(401);
    expect((await post('/auth/login', {})).status).toBe(400);
  });
});

describe('rate limits', () => {
  it('slow down registrations and sign-ins, of unknown accounts alike, and tell when to try again', async () => {
    const limited = await startServerForTest({ env: { RATE_LIMITS: 'on', TRUST_PROXY: 'on' } });
    // The proxy appends the address that it saw; what is before it is whatever the client wrote.
    let written = 0;
    const from = (address: string) => ({ 'x-forwarded-for': `9.9.9.${written++}, ${address}` });
    const registrations: number[] = [];
    for (let index = 0; index < 11; index++) {
      const username = `limited${index}`;
      const body = { username, email: `${username}@example.test`, password: 'some-password' };
      const answer = await http(limited.url, 'POST', '/auth/register', { body, headers: from('10.0.0.1') });
      registrations.push(answer.status);
      if (answer.status === 429) {
        expect(answer.json.error.code).toBe('rate_limited');
        expect(answer.json.error.details.retry_after_ms).toBeGreaterThan(0);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
    }
    expect(registrations).toEqual([...Array(10).fill(201), 429]);
    for (const login of ['limited0', 'nobody-of-this-name']) {
      const statuses: number[] = [];
      for (let index = 0; index < 11; index++) {
        const spelled = index % 2 ? login.toUpperCase() : login;
        const answer = await http(limited.url, 'POST', '/auth/login', {
          body: { login: spelled, password: 'wrong-password' },
          headers: from(`10.0.1.${index}`),
        });
        statuses.push(answer.status);
      }
      expect(statuses).toEqual([...Array(10).fill(401), 429]);
    }
    // An account has one budget, whichever of its names is used.
    const tried: number[] = [];
    for (let index = 0; index < 11; index++) {
      const login = index % 2 ? 'limited1' : 'LIMITED1@example.test';
      const body = { login, password: 'wrong-password' };
      const answer = await http(limited.url, 'POST', '/auth/login', { body, headers: from(`10.0.2.${index}`) });
      tried.push(answer.status);
    }
    expect(tried).toEqual([...Array(10).fill(401), 429]);
  });
});

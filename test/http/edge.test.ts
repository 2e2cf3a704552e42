import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WireError } from '../../shared/contract/errors.ts';
import { http, register } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

const FRIEND = 'https://app.example.test';
let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess({ env: { CORS_ORIGINS: `${FRIEND}, http://localhost:5173` } });
});
afterAll(() => server.stop());

const send = (route: string, init: RequestInit) => fetch(server.url + route, init);
const json = { 'content-type': 'application/json' };
const codeOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: WireError };
  return [response.status, error.code];
};

/** Sends bytes as they are and reads until the server closes the connection. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.setTimeout(30_000, () => socket.destroy(new Error(`still open after: ${answer}`)));
  });
}

describe('a request', () => {
  it.each([
    ['malformed JSON', '{"login":', 400, 'validation_failed'],
    ['JSON that is not UTF-8', Buffer.from('7b2261223a22ff227d', 'hex'), 400, 'validation_failed'],
    ['text in place of an object', '"text"', 400, 'validation_failed'],
    ['__proto__', '{"__proto__":{"login":"x"},"login":"a","password":"b"}', 400, 'validation_failed'],
    ['deep nesting', `{"login":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'validation_failed'],
    ['a NUL', '{"login":"a\\u0000","password":"b"}', 400, 'validation_failed'],
    ['a lone surrogate', '{"login":"\\ud800","password":"b"}', 400, 'validation_failed'],
    ['more than 256 KiB', JSON.stringify({ login: 'x'.repeat(256 * 1024) }), 413, 'payload_too_large'],
  ])('with %s is refused', async (_what, body, status, code) => {
    expect(await codeOf(await send('/auth/login', { method: 'POST', headers: json, body }))).toEqual([status, code]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data', 'nonsense'])(
    'with a body of type %s is answered 415',
    async (type) => {
      const response = await send('/auth/login', { method: 'POST', headers: { 'content-type': type }, body: 'a=1' });
      expect(await codeOf(response)).toEqual([415, 'unsupported_media_type']);
    },
  );

  it('with a body without a type is answered 415; without a body it counts as {}', async () => {
    const body = new Blob(['{}']);
    expect(await codeOf(await send('/auth/login', { method: 'POST', body }))).toEqual([415, 'unsupported_media_type']);
    expect(await codeOf(await send('/auth/login', { method: 'POST' }))).toEqual([400, 'validation_failed']);
    const { access_token } = await register(server.url);
    const headers = { ...json, authorization: `bearer ${access_token}` };
    expect((await send('/users/me', { method: 'PATCH', headers })).status).toBe(200);
    expect((await send('/users/me', { method: 'PATCH', headers, body: 'null' })).status).toBe(200);
    expect((await send('/auth/logout', { method: 'POST', headers })).status).toBe(204);
  });

  it('to a route without a body may only send {}', async () => {
    const { access_token: token } = await register(server.url);
    const logout = (body: unknown) => http(server.url, 'POST', '/auth/logout', { token, body });
    for (const body of [{ everywhere: true }, [], 'x', 0]) {
      expect([body, (await logout(body)).json.error?.code]).toEqual([body, 'validation_failed']);
    }
    expect((await logout({})).status).toBe(204);
  });

  it('to an unknown route or method is answered 404, whatever its body', async () => {
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

  it('that is not HTTP is answered in the form of the contract', async () => {
    for (const text of [
      'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'NONSENSE\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n',
    ]) {
      const answer = await raw(text);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(JSON.parse(answer.split('\r\n\r\n')[1]!).error.code).toBe('validation_failed');
    }
    const large = await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`);
    expect(JSON.parse(large.split('\r\n\r\n')[1]!).error.code).toBe('payload_too_large');
  });

  it('is answered with security headers and without internals of the server', async () => {
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

  it('of another origin is refused, even with a token', async () => {
    const { access_token } = await register(server.url);
    const strangers = ['https://evil.example', 'null', `${FRIEND}:444`, 'http://app.example.test', `${FRIEND}/`, 'x'];
    for (const origin of [...strangers, server.url.replace('127.0.0.1', 'localhost')]) {
      const response = await ask(origin, 'GET', { authorization: `Bearer ${access_token}` });
      expect(response.headers.get('access-control-allow-origin')).toBe(null);
      expect(await codeOf(response)).toEqual([403, 'forbidden']);
    }
  });

  it('that was refused is told in the log once, over HTTP and on the socket', async () => {
    const origin = 'https://told-once.example.org';
    for (let time = 0; time < 3; time++) {
      await ask(origin);
      await send('/socket.io/?EIO=4&transport=polling', { headers: { origin } });
    }
    await ask('https://told-later.example.org');
    await eventually(() => expect(server.output()).toContain('told-later'));
    expect(server.output().split(origin)).toHaveLength(2);
  });

  it("of the server's own origin, over http or https, or of a configured one is served", async () => {
    for (const origin of [server.url, server.url.replace('http:', 'https:'), FRIEND, 'http://localhost:5173']) {
      const response = await ask(origin);
      expect(response.status).toBe(401);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toContain('ETag');
      expect(response.headers.get('vary')).toBe('Origin');
    }
  });

  it('may send a preflight request if its origin is allowed', async () => {
    const asks = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' };
    const allowed = await ask(FRIEND, 'OPTIONS', asks);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization/i);
    expect((await ask('https://evil.example', 'OPTIONS', asks)).status).toBe(403);
  });
});

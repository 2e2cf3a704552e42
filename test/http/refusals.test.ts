/** What Node refuses by itself is refused in the form of the contract. */
import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openFrontDoor } from '../../server/http/front-door.ts';
import { register } from '../support/client.ts';
import { exchange, type RawAnswer, requestText } from '../support/raw-http.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const LAST = requestText('GET /healthz', { Connection: 'close' });

function expectRefusal(answer: RawAnswer | undefined, status: number, code: string): void {
  expect(answer).toMatchObject({ status, json: { error: { code, message: expect.any(String) } } });
  expect(answer!.headers['content-type']).toMatch(/^application\/json/);
}

describe('refused in the form of the contract is a request', () => {
  it.each([
    ['without a Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['without a Host, to Socket.IO', 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n'],
    ['with two Hosts', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n'],
    ['with a Host that is none', 'GET /healthz HTTP/1.1\r\nHost: local host/x\r\n\r\n'],
    ['that is not HTTP', 'NONSENSE\r\n\r\n'],
    ['in HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['with two lengths', 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    ['with a header that is none', 'GET / HTTP/1.1\r\nHost: localhost\r\nno header\r\n\r\n'],
    [
      'with a broken chunk',
      `${requestText('POST /auth/login', { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' })}zz\r\n`,
    ],
  ])('%s', async (_what, text) => {
    const answers = await exchange(server.url, text);
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 400, 'validation_failed');
  });

  it('with headers that are too large', async () => {
    const [answer] = await exchange(server.url, requestText('GET /healthz', { 'X-Large': 'x'.repeat(40_000) }));
    expectRefusal(answer, 413, 'payload_too_large');
  });

  it('that expects what the server does not do', async () => {
    const [answer] = await exchange(server.url, requestText('POST /auth/login', { Expect: 'a-miracle' }, '{}'));
    expectRefusal(answer, 417, 'validation_failed');
  });

  it('for a tunnel', async () => {
    const [answer] = await exchange(server.url, requestText('CONNECT example.test:443'));
    expectRefusal(answer, 404, 'not_found');
  });

  it.each(['PROPFIND', 'TRACE', 'QUERY', 'M-SEARCH'])('by the method %s', async (method) => {
    const [answer] = await exchange(server.url, requestText(`${method} /healthz`, { Connection: 'close' }));
    expect(answer!.json.error.code).toBeOneOf(['not_found', 'validation_failed']);
  });
});

it('Expect: 100-continue is met, and a request of HTTP/1.0 needs no Host', async () => {
  const account = await register(server.url);
  const body = JSON.stringify({ login: account.username, password: account.password });
  const headers = { 'Content-Type': 'application/json', Expect: '100-continue', Connection: 'close' };
  const text = requestText('POST /auth/login', headers, body);
  const answers = await exchange(server.url, text.slice(0, -body.length), body);
  expect(answers.map(({ status }) => status)).toEqual([100, 200]);
  expect((await exchange(server.url, 'GET /healthz HTTP/1.0\r\n\r\n'))[0]!.status).toBe(200);
});

describe('requests before a malformed one', () => {
  it('are answered first', async () => {
    const good = requestText('GET /healthz');
    const answers = await exchange(server.url, `${good}${good}NONSENSE\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
  });

  it('are answered when the connection was to close behind them', async () => {
    expect((await exchange(server.url, LAST + LAST)).map(({ status }) => status)).toEqual([200]);
  });
});

/** A server behind the front door, whose one route answers in two parts. */
async function startSlow(options: ServerOptions = {}): Promise<{ url: string; server: Server; goOn(): void }> {
  let goOn = () => {};
  const slow = createServer(options, (_request, response) => {
    response.writeHead(200, { 'Content-Length': 8 }).write('half');
    goOn = () => response.end('half');
  });
  openFrontDoor(slow, { host: '127.0.0.1', publicUrl: undefined, trustProxy: false }, '/socket.io/');
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void slow.close());
  return { url: `http://127.0.0.1:${(slow.address() as AddressInfo).port}`, server: slow, goOn: () => goOn() };
}

it('a refusal never falls into an answer that is under way', async () => {
  const { url, server: slow, goOn } = await startSlow();
  const arrived = once(slow, 'request');
  const answers = exchange(url, requestText('GET /'), 'NONSENSE\r\n\r\n');
  await arrived;
  await new Promise((resolve) => setTimeout(resolve, 100));
  goOn();
  expect((await answers).map(({ status, body }) => [status, body.slice(0, 8)])).toEqual([
    [200, 'halfhalf'],
    [400, '{"error"'],
  ]);
});

it('a request that breaks off is refused in the form of the contract', async () => {
  const client = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', allowHalfOpen: true });
  client.end('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
  let answer = '';
  for await (const chunk of client) answer += chunk;
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\n\r\n\{"error":\{"code":"validation_failed"/);
});

it('a request that takes too long to arrive is refused in the form of the contract', async () => {
  const { url } = await startSlow({ headersTimeout: 100, connectionsCheckingInterval: 20 });
  const [answer] = await exchange(url, 'GET / HTTP/1.1\r\nHost: localhost\r\n');
  expectRefusal(answer, 408, 'validation_failed');
});

it('a refused connection closes, whether or not its client closes it', async () => {
  const { url, server: slow } = await startSlow();
  const { port } = new URL(url);
  const client = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {}).write('NONSENSE\r\n\r\n');
  const open = promisify(slow.getConnections.bind(slow));
  await expect.poll(() => open()).toBe(1);
  await expect.poll(() => open()).toBe(0);
});

it.each([
  ['an offer', requestText('GET /', { Connection: 'Upgrade', Upgrade: 'h2c' })],
  ['a malformed request', 'NONSENSE\r\n\r\n'],
  ['a tunnel', requestText('CONNECT example.test:443')],
])('a client that goes while %s waits for the answer before it harms nothing', async (_what, text) => {
  const { url, server: slow, goOn } = await startSlow();
  const client = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  const arrived = once(slow, 'request');
  client.on('error', () => {}).end(requestText('GET /') + text);
  client.resume();
  await arrived;
  await new Promise((resolve) => setTimeout(resolve, 100));
  goOn();
  await expect.poll(() => promisify(slow.getConnections.bind(slow))()).toBe(0);
});

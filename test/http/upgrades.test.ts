/** A request that offers another protocol is answered as if it did not (RFC 9110, section 7.8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, register } from '../support/client.ts';
import { exchange, requestText } from '../support/raw-http.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
let ann: Account;
beforeAll(async () => {
  server = await startServerProcess();
  ann = await register(server.url);
});
afterAll(() => server.stop());

/** As curl and Java's client write it. */
const OFFER = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA' };
const LAST = requestText('GET /healthz', { Connection: 'close' });
const JSON_TYPE = { 'Content-Type': 'application/json' };
const login = () => JSON.stringify({ login: ann.username, password: ann.password });
const statuses = async (...pieces: string[]) => (await exchange(server.url, ...pieces)).map(({ status }) => status);

describe('a request that offers', () => {
  it.each([
    ['HTTP/2', OFFER],
    ['TLS', { Connection: 'Upgrade', Upgrade: 'TLS/1.0' }],
    ['HTTP/2 or WebSocket', { Connection: 'keep-alive, Upgrade', Upgrade: 'h2c, websocket' }],
    ['WebSocket where there is none', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }],
  ])('%s is answered', async (_what, offer) => {
    const bearer = { Authorization: `Bearer ${ann.access_token}` };
    const [me, last] = await exchange(server.url, requestText('GET /users/me', { ...offer, ...bearer }) + LAST);
    expect(me!.json.user.username).toBe(ann.username);
    expect(last!.status).toBe(200);
  });

  it('nothing known at an unknown route is answered 404', async () => {
    const [answer] = await exchange(server.url, requestText('GET /ws', { ...OFFER, Upgrade: 'websocket' }) + LAST);
    expect([answer!.status, answer!.json.error.code]).toEqual([404, 'not_found']);
  });

  it('HTTP/2 to Socket.IO is answered by long polling', async () => {
    const [answer] = await exchange(server.url, requestText('GET /socket.io/?EIO=4&transport=polling', OFFER) + LAST);
    expect([answer!.status, answer!.body]).toEqual([200, expect.stringMatching(/^0\{"sid"/)]);
  });

  it('HTTP/2 and closes the connection is answered, and the connection closed', async () => {
    const offer = { ...OFFER, Connection: 'close, Upgrade, HTTP2-Settings' };
    expect(await statuses(requestText('GET /healthz', offer))).toEqual([200]);
  });
});

describe('its body', () => {
  /** From version 25 on Node loses what follows; the connection closes, and clients send it again. */
  const behind = Number.parseInt(process.versions.node, 10) < 25 ? [200] : [];

  it.each<[string, (text: string) => string[]]>([
    ['whole', (text) => [text]],
    ['in pieces', (text) => [text.slice(0, 40), text.slice(40, -60), text.slice(-60, -30), text.slice(-30)]],
  ])('is read when it arrives %s, and so is what follows', async (_how, cut) => {
    const text = requestText('POST /auth/login', { ...JSON_TYPE, ...OFFER }, login());
    expect(await statuses(...cut(text + LAST))).toEqual([200, ...behind]);
  });

  it('is read when it is chunked', async () => {
    const head = requestText('POST /auth/login', { ...JSON_TYPE, ...OFFER, 'Transfer-Encoding': 'chunked' });
    const body = login();
    expect(await statuses(`${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${LAST}`)).toEqual([
      200,
      ...behind,
    ]);
  });

  it('may be long', async () => {
    const large = requestText('POST /auth/login', { ...JSON_TYPE, ...OFFER }, JSON.stringify('x'.repeat(200_000)));
    expect(await statuses(large + LAST)).toEqual([400, ...behind]);
  });

  it('may wait for 100 Continue', async () => {
    const expecting = { ...JSON_TYPE, ...OFFER, Expect: '100-continue' };
    const text = requestText('POST /auth/login', { ...expecting, Connection: 'close, Upgrade' }, login());
    const cut = text.length - login().length;
    expect(await statuses(text.slice(0, cut), text.slice(cut))).toEqual([100, 200]);
  });
});

it('requests before, between and behind offers are answered in their order', async () => {
  const slow = requestText('POST /auth/login', JSON_TYPE, login());
  const offer = requestText('GET /nothing', OFFER);
  const pipelined = slow + offer.repeat(20) + slow + offer + LAST;
  expect(await statuses(pipelined)).toEqual([200, ...Array(20).fill(404), 200, 404, 200]);
  expect(server.output()).not.toContain('MaxListeners');
});

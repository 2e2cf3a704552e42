import { once } from 'node:events';
import { type IncomingMessage, request as startRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, register } from '../support/client.ts';
import { connectRaw, openRaw } from '../support/raw-socket.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
let ann: Account;
let bob: Account;
let bystander: Device;

beforeAll(async () => {
  server = await startServerProcess();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
});

afterAll(async () => {
  await server?.stop();
});

beforeEach(async () => {
  bystander = await connect(server.url, bob);
  return async () => {
    // Whatever happened: the others are still served, over the same connection and over new ones.
    expect(bystander.socket.connected).toBe(true);
    await bystander.ok('message:history', { recipient_id: ann.id });
    bystander.close();
    const { status } = await fetch(`${server.url}/healthz`);
    expect(status).toBe(200);
    expect(server.output()).not.toMatch(/unhandled|unexpected error|TypeError|RangeError/);
  };
});

describe('commands', () => {
  it.each([
    'no:such:command',
    '',
    ' ',
    'toString',
    'constructor',
    '__proto__',
    'hasOwnProperty',
    'error',
    'message',
    'message:new',
    'x'.repeat(10_000),
  ])('answers not_found to the unknown event %j', async (name) => {
    const device = await connect(server.url, ann);
    expect((await device.refused(name, {})).code).toBe('not_found');
    device.close();
  });

  it.each([
    ['a text', 'text'],
    ['a number', 5],
    ['a boolean', true],
    ['an array', [{ recipient_id: 'f'.repeat(24) }]],
    ['a binary', Buffer.from('bytes')],
    ['a binary inside', { recipient_id: Buffer.from('bytes'), content: 'x' }],
    ['an unknown property', { recipient_id: 'f'.repeat(24), content: 'x', $where: '1' }],
    ['a long unknown property', { recipient_id: 'f'.repeat(24), content: 'x', ['y'.repeat(1000)]: 1 }],
    ['a property __proto__', JSON.parse(`{"recipient_id":"${'f'.repeat(24)}","content":"x","__proto__":{"a":1}}`)],
    ['a property constructor', { recipient_id: 'f'.repeat(24), content: 'x', constructor: {} }],
  ])('refuses %s as a payload', async (_what, payload) => {
    const device = await connect(server.url, ann);
    const error = await device.refused('message:send', payload);
    expect(error.code).toBe('validation_failed');
    expect(error.details).toBeInstanceOf(Array);
    for (const detail of error.details as unknown[]) {
      expect(detail).toEqual({ path: expect.any(String), message: expect.any(String) });
    }
    device.close();
  });

  it('takes null and no payload at all for an empty one', async () => {
    const device = await connect(server.url, ann);
    for (const args of [[], [null], [{}]]) {
      const answer = await device.raw('message:history', ...args);
      expect(answer.error?.code).toBe('validation_failed');
      const list = await device.raw('contact:list', ...args);
      expect(list.error?.code).not.toBe('validation_failed');
    }
    device.close();
  });

  it('refuses more than one payload', async () => {
    const device = await connect(server.url, ann);
    const answer = await device.raw('message:history', { recipient_id: bob.id }, { recipient_id: bob.id });
    expect(answer.error?.code).toBe('validation_failed');
    device.close();
  });

  it('refuses what is nested deeper than 32, at any depth', async () => {
    const device = await connect(server.url, ann);
    for (const depth of [33, 1000, 20_000]) {
      const deep = `42["message:send",${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}]`;
      const raw = await connectRaw(server.url, ann.access_token);
      raw.send(deep.replace('42', '4217'));
      const answer = JSON.parse((await raw.frame('4317')).slice(4))[0];
      expect(answer.error.code).toBe('validation_failed');
      raw.close();
    }
    device.close();
  });

  it('names the field that is wrong', async () => {
    const device = await connect(server.url, ann);
    const error = await device.refused('message:send', { recipient_id: bob.id, content: 7 });
    expect(error.details).toEqual([{ path: 'content', message: expect.any(String) }]);
    device.close();
  });

  it('refuses what is no JSON text anywhere in a payload', async () => {
    const device = await connect(server.url, ann);
    for (const text of ['a\0b', '\ud800', '\udc00x']) {
      const payloads = [
        { recipient_id: bob.id, content: text },
        { recipient_id: bob.id, content: 'x', client_message_id: text },
        { recipient_id: bob.id, content: 'x', [text]: 1 },
      ];
      for (const payload of payloads) {
        expect((await device.refused('message:send', payload)).code).toBe('validation_failed');
      }
    }
    device.close();
  });
});

describe('packets', () => {
  it.each([
    ['unfinished JSON', '42["message:send"'],
    ['no JSON', '42hello'],
    ['no event name', '42[]'],
    ['null as event name', '42[null,{}]'],
    ['an object as event name', '42[{"toString":1},{}]'],
    ['a number as event name', '427[5,{}]'],
    ['an object for a packet', '42{"a":1}'],
    ['a reserved event', '42["disconnect"]'],
    ['a reserved event with a payload', '42["connect_error",{"a":1}]'],
    ['a huge acknowledgement id', '4299999999999999999999["message:history",{}]'],
    ['an acknowledgement of nothing', '4312345[{}]'],
    ['an acknowledgement that is no array', '431"x"'],
    ['a second connection', '40{"token":"x"}'],
    ['another namespace', '40/admin,{"token":"x"}'],
    ['an event of another namespace', '42/admin,["message:history",{}]'],
    ['a binary event without its attachment', '451-["message:send",{"_placeholder":true,"num":0}]'],
    ['a binary event with too many attachments', '45999999999-["message:send",{"_placeholder":true,"num":0}]'],
    ['a placeholder that points nowhere', '451-["message:send",{"_placeholder":true,"num":7}]'],
    ['a connect error', '44{"message":"x"}'],
    ['an unknown Socket.IO packet', '49["x"]'],
    ['an unknown Engine.IO packet', '9'],
    ['an upgrade that was not asked for', '5'],
    ['an empty frame', ''],
    ['pings from the client', '2probe'],
    ['a thousand pongs', '3'.repeat(1000)],
    ['a disconnection', '41'],
    ['a close', '1'],
    ['bytes', Buffer.from([0, 1, 2, 255])],
    ['no bytes', Buffer.alloc(0)],
  ])('harm nobody: %s', async (_what, frame) => {
    const raw = await connectRaw(server.url, ann.access_token);
    raw.send(frame);
    raw.send(Buffer.from('attachment'));
    raw.send('42["message:history",{}]');
    await bystander.ok('message:history', { recipient_id: ann.id });
    raw.close();
  });

  it('harm nobody: a binary event nested as deep as a frame holds', async () => {
    const raw = await connectRaw(server.url, ann.access_token);
    const depth = 60_000;
    raw.send(`451-["message:send",${'['.repeat(depth)}{"_placeholder":true,"num":0}${']'.repeat(depth)}]`);
    raw.send(Buffer.from('attachment'));
    await bystander.ok('message:history', { recipient_id: ann.id });
    raw.close();
  });

  it('before the connection is authenticated are not carried out', async () => {
    const raw = await openRaw(server.url);
    raw.send(`421["message:send",{"recipient_id":"${bob.id}","content":"too early"}]`);
    await bystander.ok('message:history', { recipient_id: ann.id });
    expect(raw.frames.some((frame) => frame.startsWith('431'))).toBe(false);
    const { messages } = await bystander.ok('message:history', { recipient_id: ann.id });
    expect(messages.filter((message) => message.content === 'too early')).toEqual([]);
    raw.close();
  });

  it('sent right behind the token wait for the connection to be ready', async () => {
    const raw = await openRaw(server.url);
    raw.send(`40${JSON.stringify({ token: ann.access_token })}`);
    await raw.frame('40');
    raw.send(`421["message:history",{"recipient_id":"${bob.id}"}]`);
    await raw.frame('431');
    const at = (prefix: string) => raw.frames.findIndex((frame) => frame.startsWith(prefix));
    expect(at('42["session:ready"')).toBeLessThan(at('431'));
    raw.close();
  });

  it('may leave and come back over the same transport', async () => {
    const raw = await connectRaw(server.url, ann.access_token);
    raw.frames.length = 0;
    raw.send('41');
    await bystander.ok('message:history', { recipient_id: ann.id });
    raw.send(`40${JSON.stringify({ token: ann.access_token })}`);
    await raw.frame('42["session:ready"');
    raw.send(`421["message:history",{"recipient_id":"${bob.id}"}]`);
    expect(JSON.parse((await raw.frame('431')).slice(3))[0].ok).toBe(true);
    raw.close();
  });

  it.each([
    ['none', '40'],
    ['null', '40null'],
    ['an array', '40[]'],
    ['a text', '40"token"'],
    ['an object for a token', '40{"token":{"$gt":""}}'],
    ['a number for a token', '40{"token":5}'],
    ['an empty token', '40{"token":""}'],
    ['a very long token', `40{"token":"${'x'.repeat(200_000)}"}`],
    ['a NUL in the token', '40{"token":"a\\u0000b"}'],
  ])('with bad credentials are refused: %s', async (_what, frame) => {
    const raw = await openRaw(server.url);
    raw.send(frame);
    const refused = await Promise.race([raw.frame('44'), raw.closed]);
    if (refused) expect(JSON.parse(refused.slice(2)).data.code).toBe('unauthenticated');
    raw.close();
  });
});

describe('a frame above 256 KiB', () => {
  it('closes the connection that sent it, and no other', async () => {
    const raw = await connectRaw(server.url, ann.access_token);
    raw.send(`42["message:send",{"recipient_id":"${bob.id}","content":"${'x'.repeat(256 * 1024)}"}]`);
    await raw.closed;
    expect(bystander.socket.connected).toBe(true);
  });

  it.each([true, false])('closes over long polling too, authenticated: %s', async (authenticated) => {
    const polling = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const poll = async (sid: string) => (await fetch(`${polling}&sid=${sid}`)).text();
    const post = (sid: string, body: string) => fetch(`${polling}&sid=${sid}`, { method: 'POST', body });
    const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1));
    if (authenticated) {
      await post(sid, `40${JSON.stringify({ token: ann.access_token })}`);
      for (let packets = ''; !packets.includes('session:ready'); ) packets += await poll(sid);
    }
    const answer = await post(sid, `4${'x'.repeat(300 * 1024)}`).catch(() => undefined);
    expect(answer?.status ?? 413).toBe(413);
    await expect.poll(async () => (await post(sid, '3')).status).toBe(400);
  });

  it('below that is answered', async () => {
    const raw = await connectRaw(server.url, ann.access_token);
    raw.send(`421["message:send",{"recipient_id":"${bob.id}","content":"${'x'.repeat(250 * 1024)}"}]`);
    const answer = JSON.parse((await raw.frame('431')).slice(3))[0];
    expect(answer.error.code).toBe('validation_failed');
    expect(raw.isOpen()).toBe(true);
    raw.close();
  });
});

describe('HTTP', () => {
  it.each([
    ['GET', '/no/such/route', undefined, undefined, 404, 'not_found'],
    ['DELETE', '/auth/register', undefined, undefined, 404, 'not_found'],
    ['POST', '/auth/register', '{"username":', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/register', '', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/register', 'null', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/register', '[]', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/register', '"x"', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/register', 'a=b', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['POST', '/auth/register', '<a/>', 'text/xml', 415, 'unsupported_media_type'],
    ['POST', '/auth/login', '{"login":{"$gt":""},"password":{"$gt":""}}', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/login', '{"login":"a","password":"b","admin":true}', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/login', '{"__proto__":{"a":1},"login":"a"}', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/login', '{"login":"a\\u0000","password":"b"}', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/login', '{"login":"\\ud800","password":"b"}', 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/refresh', `{"refresh_token":"${'x'.repeat(513)}"}`, 'application/json', 400, 'validation_failed'],
    ['POST', '/auth/refresh', '{"refresh_token":"nothing"}', 'application/json', 401, 'unauthenticated'],
    ['GET', '/users/me', undefined, undefined, 401, 'unauthenticated'],
  ])('%s %s with %.40j is refused', async (method, route, body, type, status, code) => {
    const response = await fetch(server.url + route, {
      method,
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
      ...(body === undefined ? {} : { body }),
    });
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe(code);
    expect(typeof error.message).toBe('string');
    expect(JSON.stringify(error)).not.toMatch(/node_modules|at \w+ \(|\.ts:/);
  });

  it('a body that is announced as too large is refused before it comes', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': 2 ** 21 };
    const request = startRequest(`${server.url}/auth/login`, { method: 'POST', headers });
    request.on('error', () => {});
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(await text(response)).error.code).toBe('payload_too_large');
    request.destroy();
  });
});

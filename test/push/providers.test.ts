import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { createOutbound, type Outbound } from '../../server/lib/outbound/outbound.ts';
import type { Payload } from '../../server/push/payloads.ts';
import { createApns } from '../../server/push/providers/apns.ts';
import { createFcm } from '../../server/push/providers/fcm.ts';
import { createHttp2Pool } from '../../server/push/providers/http2-pool.ts';
import type { Provider, Push } from '../../server/push/providers/provider.ts';
import { createWebPush } from '../../server/push/providers/web-push.ts';
import { type ApnsStandIn, startApns } from './support/apns-stand-in.ts';
import { fcmError, startFcm } from './support/fcm-stand-in.ts';
import { httpStandInForTest } from './support/http-stand-in.ts';
import { vapidKeys } from './support/keys.ts';
import { browser, readVapid } from './support/rfc8291.ts';

const bob = { user_id: '6650a1f0c2a4b8d9e0f10002', username: 'bob', full_name: 'Bob Stone' };
const payloads = {
  message: { type: 'message', conversation_id: 'a-b', seq: 7, rev: 9, sender: bob, unread_count: 2, badge: 1 },
  call: { type: 'call', call_id: '6650', call_type: 'video', from: bob, expires_at: '2026-05-24T18:30:00.000Z' },
  call_over: { type: 'call_over', call_id: '6650', reason: 'cancelled' },
  read: { type: 'read', conversation_id: 'a-b', read_seq: 7, badge: 0 },
  contact_request: { type: 'contact_request', from: bob, badge: 3 },
} satisfies Record<string, Payload>;
const push = (payload: Payload = payloads.message, over: Partial<Push> = {}): Push => ({
  payload,
  collapse: 'c0ll4ps3',
  ttlS: 2_419_200,
  urgency: 'high',
  ...over,
});

let outbound: Outbound;
beforeEach(() => {
  outbound = createOutbound({ allowPrivate: true });
});
afterEach(() => outbound.close());

/** What every provider does alike: answers by status. */
function judged(start: () => Promise<{ provider: Provider; script: { next: ApnsStandIn['next'] }; to: object }>) {
  it.each([
    [429, { 'retry-after': '7' }, { kind: 'retry', afterMs: 7000 }],
    [503, {}, { kind: 'retry' }],
    [
      500,
      { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() },
      { kind: 'retry', afterMs: expect.any(Number) },
    ],
    [404, {}, { kind: 'gone' }],
    [410, {}, { kind: 'gone' }],
    [400, {}, { kind: 'refused' }],
    [403, {}, { kind: 'refused' }],
    [413, {}, { kind: 'refused' }],
    [301, { location: 'http://127.0.0.1:1/' }, { kind: 'refused' }],
  ])('takes %i with %j for what it says', async (status, headers, outcome) => {
    const { provider, script, to } = await start();
    script.next({ status, headers });
    expect(await provider.send(to as never, push())).toMatchObject(outcome);
    expect(await provider.send(to as never, push())).toEqual({ kind: 'ok' });
  });
}

describe('Web Push', () => {
  const keys = vapidKeys();
  const start = async () => {
    const script = await httpStandInForTest();
    const device = browser(`${script.url}/wpush/v2/secret`);
    const { endpoint: address, keys: deviceKeys } = device.subscription;
    const provider = createWebPush({ outbound, keys, subject: 'mailto:ops@example.org' });
    return { provider, script, device, to: { provider: 'webpush' as const, address, keys: deviceKeys } };
  };

  it('is encrypted for the browser and signed for the push service', async () => {
    const { provider, script, device, to } = await start();
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    const [{ path, headers, body }] = script.received as [(typeof script.received)[0]];
    expect(path).toBe('/wpush/v2/secret');
    expect(headers).toMatchObject({
      ttl: '2419200',
      urgency: 'high',
      topic: 'c0ll4ps3',
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
      'content-length': String(body.length),
    });
    expect(device.decrypt(body)).toEqual(payloads.message);
    expect(() => browser('https://other.example.org').decrypt(body)).toThrow();
    const { payload, key } = await readVapid(headers.authorization!, script.url);
    expect(payload.sub).toBe('mailto:ops@example.org');
    expect(payload.exp! - Date.now() / 1000).toBeLessThanOrEqual(86_400);
    expect(key).toBe(keys.publicKey);
  });

  it('signs once for a push service, encrypts each push anew, and keeps the connection', async () => {
    const { provider, script, to } = await start();
    for (let i = 0; i < 3; i++) await provider.send(to, push());
    const distinct = (values: unknown[]) => new Set(values).size;
    expect(distinct(script.received.map(({ headers }) => headers.authorization))).toBe(1);
    expect(distinct(script.received.map(({ body }) => body.toString('hex')))).toBe(3);
    expect(distinct(script.received.map(({ port }) => port))).toBe(1);
  });

  it('of a push service that is not there is to be tried again', async () => {
    const { provider, to, script } = await start();
    await script.close();
    expect(await provider.send(to, push())).toMatchObject({
      kind: 'retry',
      reason: expect.not.stringContaining('wpush'),
    });
  });

  judged(start);
});

describe('FCM', () => {
  const start = async (expiresIn?: number) => {
    const script = await startFcm(expiresIn);
    onTestFinished(() => script.close());
    const provider = createFcm({ config: readConfig(script.env).push.fcm!, outbound });
    return { provider, script, to: { provider: 'fcm' as const, address: 'device:token' } };
  };

  it('gets a data message with the payload as one string, and how long it keeps', async () => {
    const { provider, script, to } = await start();
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    const [{ path, headers, body }] = script.received as [(typeof script.received)[0]];
    expect(path).toBe('/v1/projects/letsapp-test/messages:send');
    expect(headers).toMatchObject({ authorization: 'Bearer ya29.1', 'content-type': 'application/json' });
    const { message } = JSON.parse(body.toString());
    expect(Object.keys(message.data)).toEqual(['payload']);
    expect(JSON.parse(message.data.payload)).toEqual(payloads.message);
    expect(message).toMatchObject({
      token: 'device:token',
      android: { collapse_key: 'c0ll4ps3', ttl: '2419200s', priority: 'HIGH' },
    });
    expect(message).not.toHaveProperty('notification');
    await provider.send(to, push(payloads.read, { urgency: 'low' }));
    expect(JSON.parse(script.received[1]!.body.toString()).message.android.priority).toBe('NORMAL');
    expect(script.faults).toEqual([]);
  });

  it('is asked for one token by many at once, and for another before that expires', async () => {
    const { provider, script, to } = await start();
    await Promise.all(Array.from({ length: 10 }, () => provider.send(to, push())));
    expect(script.tokens.received).toHaveLength(1);
    const short = await start(61);
    await short.provider.send(short.to, push());
    await expect
      .poll(async () => {
        await short.provider.send(short.to, push());
        return short.script.tokens.received.length;
      })
      .toBeGreaterThan(1);
  });

  it('that refuses the token gets the same push with a new one', async () => {
    const { provider, script, to } = await start();
    script.next({ status: 401 });
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    expect(script.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer ya29.1', 'Bearer ya29.2']);
    script.next({ status: 401 }, { status: 401 });
    expect(await provider.send(to, push())).toMatchObject({ kind: 'retry' });
  });

  it('has ten seconds for all that a push asks of it, however often', async () => {
    const deadlines: number[] = [];
    const slow: Pick<Outbound, 'post'> = {
      async post({ url, deadlineMs }) {
        if (url.endsWith('/token')) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return { status: 200, headers: {}, body: async () => Buffer.from('{"access_token":"t"}') };
        }
        deadlines.push(deadlineMs!);
        return { status: 401, headers: {}, body: async () => Buffer.from('') };
      },
    };
    const { script, to } = await start();
    await createFcm({ config: readConfig(script.env).push.fcm!, outbound: slow }).send(to, push());
    const [first, second] = deadlines as [number, number];
    expect(first).toBeLessThanOrEqual(9_981);
    expect(second).toBeLessThanOrEqual(first - 19);
  });

  it('that gives no token is tried again', async () => {
    const { provider, script, to } = await start();
    script.tokens.next({ status: 503 });
    expect(await provider.send(to, push())).toMatchObject({ kind: 'retry' });
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
  });

  it.each([
    [fcmError(404, 'UNREGISTERED'), 'gone'],
    [fcmError(400, 'UNREGISTERED'), 'gone'],
    [fcmError(400, 'INVALID_ARGUMENT'), 'refused'],
    [fcmError(403, 'SENDER_ID_MISMATCH'), 'refused'],
    [fcmError(429, 'QUOTA_EXCEEDED'), 'retry'],
    [fcmError(503, 'UNAVAILABLE'), 'retry'],
  ])('takes %j for what it says', async (answer, kind) => {
    const { provider, script, to } = await start();
    script.next(answer);
    expect((await provider.send(to, push())).kind).toBe(kind);
  });

  judged(start);
});

describe('APNs', () => {
  const start = async () => {
    const script = await startApns();
    onTestFinished(() => script.close());
    const config = readConfig(script.env).push.apns!;
    const provider = createApns({ config, pool: createHttp2Pool(config.url, 1500) });
    onTestFinished(() => provider.close());
    return { provider, script, to: { provider: 'apns' as const, address: 'ab12', voip_token: 'cd34' } };
  };

  it('gets an alert that names nobody, with the payload beside it', async () => {
    const { provider, script, to } = await start();
    const before = Math.floor(Date.now() / 1000);
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    const [{ headers, body }] = script.received as [(typeof script.received)[0]];
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':path': '/3/device/ab12',
      'apns-topic': 'org.example.chat',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-collapse-id': 'c0ll4ps3',
    });
    const expiration = Number(headers['apns-expiration']);
    expect(expiration).toBeGreaterThanOrEqual(before + 2_419_200);
    expect(expiration).toBeLessThanOrEqual(before + 2_419_260);
    const { aps, ...rest } = body;
    expect(rest).toEqual(payloads.message);
    expect(aps).toMatchObject({ 'mutable-content': 1, alert: { body: 'New message' }, badge: 1 });
    expect(JSON.stringify(aps)).not.toMatch(/bob/i);
    const token = /^bearer (.+)$/.exec(headers.authorization!)![1]!;
    const { protectedHeader, payload } = await jwtVerify(token, createPublicKey(script.key), {
      algorithms: ['ES256'],
      issuer: 'TEAMID1234',
      maxTokenAge: 60,
    });
    expect(protectedHeader.kid).toBe('KEYID12345');
    expect(Object.keys(payload).sort()).toEqual(['iat', 'iss']);
  });

  it('gets `read` as a background push of priority 5, without anything to show', async () => {
    const { provider, script, to } = await start();
    await provider.send(to, push(payloads.read, { urgency: 'low' }));
    expect(script.received[0]!.headers).toMatchObject({ 'apns-push-type': 'background', 'apns-priority': '5' });
    expect(script.received[0]!.body).toEqual({ aps: { 'content-available': 1 }, ...payloads.read });
  });

  it('gets a call by the token for calls where there is one, and its end by the other', async () => {
    const { provider, script, to } = await start();
    await provider.send(to, push(payloads.call, { ttlS: 30 }));
    await provider.send(to, push(payloads.call_over, { ttlS: 30 }));
    await provider.send({ provider: 'apns', address: 'ab12' }, push(payloads.call, { ttlS: 30 }));
    const [voip, over, plain] = script.received.map(({ headers }) => headers);
    expect(voip).toMatchObject({
      ':path': '/3/device/cd34',
      'apns-topic': 'org.example.chat.voip',
      'apns-push-type': 'voip',
      'apns-priority': '10',
    });
    expect(script.received[0]!.body).toEqual({ aps: {}, ...payloads.call });
    expect(over).toMatchObject({
      ':path': '/3/device/ab12',
      'apns-topic': 'org.example.chat',
      'apns-push-type': 'alert',
    });
    expect(plain).toMatchObject({ ':path': '/3/device/ab12', 'apns-push-type': 'alert' });
  });

  it('that says the token has expired gets the same push with a new one', async () => {
    const { provider, script, to } = await start();
    await provider.send(to, push());
    // Tokens of the same second would be alike.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    script.next({ status: 403, body: { reason: 'ExpiredProviderToken' } });
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    const [first, refused, again] = script.received.map(({ headers }) => headers.authorization);
    expect(refused).toBe(first);
    expect(again).not.toBe(first);
  });

  it.each([
    [400, 'BadDeviceToken', 'gone'],
    [410, 'Unregistered', 'gone'],
    [400, 'DeviceTokenNotForTopic', 'refused'],
    [403, 'InvalidProviderToken', 'refused'],
    [413, 'PayloadTooLarge', 'refused'],
    [429, 'TooManyRequests', 'retry'],
    [503, 'ServiceUnavailable', 'retry'],
  ])('takes %i %s for what it says', async (status, reason, kind) => {
    const { provider, script, to } = await start();
    script.next({ status, body: { reason } });
    expect(await provider.send(to, push())).toEqual({
      kind,
      reason: `${kind === 'gone' ? '' : `${status} `}${reason}`,
    });
  });

  it('is sent many pushes on one session', async () => {
    const { provider, script, to } = await start();
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => provider.send(to, push())));
    expect(outcomes.every(({ kind }) => kind === 'ok')).toBe(true);
    await provider.send(to, push());
    expect(script.sessions).toHaveLength(1);
  });

  it('that takes leave (GOAWAY) gets what it did not look at on another session, and nothing is lost', async () => {
    const { provider, script, to } = await start();
    await provider.send(to, push());
    let told = false;
    script.onRequest((session, streamId) => {
      if (told) return;
      told = true;
      // It has looked at this one and none after it.
      session.goaway(0, streamId);
    });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => provider.send(to, push())));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(20).fill('ok'));
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    expect(script.sessions).toHaveLength(2);
  });

  it('that ends the connection with an error is asked on another one', async () => {
    const { provider, script, to } = await start();
    await provider.send(to, push());
    script.onRequest((session) => {
      script.onRequest(() => {});
      session.goaway(11);
      session.destroy();
    });
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    expect(script.sessions).toHaveLength(2);
  });

  it('that does not answer is given up in time, and the next push takes another session', async () => {
    const { provider, script, to } = await start();
    script.next('hang');
    expect(await provider.send(to, push())).toEqual({ kind: 'retry', reason: 'no answer in time', isUnanswered: true });
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
    expect(script.sessions).toHaveLength(2);
  });

  it('that is not there is to be tried again, and is found when it is back', async () => {
    const { provider, script, to } = await start();
    await script.close();
    expect((await provider.send(to, push())).kind).toBe('retry');
    const back = await startApns(Number(new URL(script.url).port));
    onTestFinished(() => back.close());
    expect(await provider.send(to, push())).toEqual({ kind: 'ok' });
  });

  judged(start);
});

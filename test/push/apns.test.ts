import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { createApns } from '../../server/push/providers/apns.ts';
import { createHttp2Pool } from '../../server/push/providers/http2-pool.ts';
import { startApns } from './support/apns-stand-in.ts';
import { judged, payloads, push } from './support/provider-cases.ts';

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

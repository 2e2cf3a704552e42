import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../server/config.ts';
import type { Outbound } from '../../server/lib/outbound/outbound.ts';
import { createFcm } from '../../server/push/providers/fcm.ts';
import { fcmError, startFcm } from './support/fcm-stand-in.ts';
import { judged, outboundOfTest, payloads, push } from './support/provider-cases.ts';

const outbound = outboundOfTest();

describe('FCM', () => {
  const start = async (expiresIn?: number) => {
    const script = await startFcm(expiresIn);
    onTestFinished(() => script.close());
    const provider = createFcm({ config: readConfig(script.env).push.fcm!, outbound: outbound() });
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

import { describe, expect, it } from 'vitest';
import { createWebPush } from '../../server/push/providers/web-push.ts';
import { httpStandInForTest } from './support/http-stand-in.ts';
import { vapidKeys } from './support/keys.ts';
import { judged, outboundOfTest, payloads, push } from './support/provider-cases.ts';
import { browser, readVapid } from './support/rfc8291.ts';

const outbound = outboundOfTest();

describe('Web Push', () => {
  const keys = vapidKeys();
  const start = async () => {
    const script = await httpStandInForTest();
    const device = browser(`${script.url}/wpush/v2/secret`);
    const { endpoint: address, keys: deviceKeys } = device.subscription;
    const provider = createWebPush({ outbound: outbound(), keys, subject: 'mailto:ops@example.org' });
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

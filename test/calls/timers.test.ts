/** Timeouts on a real server, with real timers: nothing here has to happen before a timer fires. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, groupOf, people, reasons, talking, updated } from './scene.ts';

const SHORT_MS = '500';
const LONG_MS = '600000';

/** Calls ring for a short time. */
let ringing: TestServer;
/** Whoever loses the connection has a short time to come back. */
let losing: TestServer;
beforeAll(async () => {
  [ringing, losing] = await Promise.all([
    startServer({ env: { CALL_RING_TIMEOUT_MS: SHORT_MS, CALL_RECONNECT_GRACE_MS: LONG_MS } }),
    startServer({ env: { CALL_RING_TIMEOUT_MS: LONG_MS, CALL_RECONNECT_GRACE_MS: SHORT_MS } }),
  ]);
});
afterAll(() => Promise.all([ringing?.stop(), losing?.stop()]));

describe.concurrent('an unanswered call', () => {
  it('of a pair ends as missed, for everyone', async ({ expect }) => {
    const [a, b] = await people(ringing.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    for (const device of [a!, b!]) {
      const event = await updated(device, 'missed');
      expect(event.call).toMatchObject({ _id: call._id, status: 'missed', duration: 0 });
      expect(event.call.ended_at).toBeDefined();
      expect(event.call.participants.map((stay) => stay.user_id)).toEqual([a!.id]);
      expect(event.call.participants[0]!.left_at).toBeDefined();
    }
    expect((await b!.refused('call:accept', { call_id: call._id })).code).toBe('conflict');
    await settle(a!, b!);
    expect(reasons(a!)).toEqual(['missed']);
  });

  it('of a group ends as missed, for everyone', async ({ expect }) => {
    const [a, b, c] = await people(ringing.url, 3);
    const group_id = await groupOf([a!, b!, c!]);
    await a!.ok('call:initiate', { group_id, call_type: 'video' });
    for (const device of [a!, b!, c!]) expect((await updated(device, 'missed')).call.status).toBe('missed');
  });

  it('is cancelled when its caller stays disconnected', async ({ expect }) => {
    const [a, b] = await people(losing.url, 2);
    await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    a!.close();
    expect((await updated(b!, 'cancelled')).call.status).toBe('missed');
  });
});

describe.concurrent('an ongoing call', () => {
  it('of a pair ends when a lost connection does not come back', async ({ expect }) => {
    const [a, b] = await people(losing.url, 2);
    await talking(a!, b!);
    b!.close();
    expect(await updated(a!, 'ended')).toMatchObject({ user_id: b!.id, call: { status: 'ended' } });
  });

  it('of a group outlives its caller, and ends when the last participant is gone', async ({ expect }) => {
    const [a, b, c] = await people(losing.url, 3);
    const group_id = await groupOf([a!, b!, c!]);
    const { call } = await a!.ok('call:initiate', { group_id, call_type: 'video' });
    await b!.ok('call:accept', { call_id: call._id });
    a!.close();
    expect((await updated(c!, 'left', a!.id)).call.status).toBe('ongoing');
    b!.close();
    expect((await updated(c!, 'ended', b!.id)).call.status).toBe('ended');
  });

  it('goes on when the device is lost that had it before', async ({ expect }) => {
    const [a, b, c, d] = await people(losing.url, 4);
    const b2 = await another(losing.url, b!);
    const call = await talking(a!, b!);
    await talking(c!, d!);
    await b2.ok('call:join', { call_id: call._id });
    await updated(a!, 'moved', b!.id);
    b!.close();
    // When the grace period of a later loss is over, one that began before it would be too.
    d!.close();
    await updated(c!, 'ended', d!.id);
    await settle(a!);
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    await b2.ok('call:end', { call_id: call._id });
  });
});

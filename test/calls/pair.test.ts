/** A pair's call on a real server (protocol, section 8). Timeouts are in `timeouts.test.ts` and `timers.test.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, incoming, PATIENT, people, reasons, signalled, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: PATIENT });
});
afterAll(() => server?.stop());

describe.concurrent('ringing', () => {
  it('reaches all devices of the callee with the caller as a public user, and the caller’s other devices are told', async () => {
    const [a, b] = await people(server.url, 2);
    const [a2, b2] = await Promise.all([another(server.url, a!), another(server.url, b!)]);
    const payload = {
      recipient_id: b!.id,
      call_type: 'video' as const,
      metadata: { topic: 'lunch', n: [1, { x: null }] },
    };
    const { call } = await a!.ok('call:initiate', payload);
    expect(call).toMatchObject({
      caller_id: a!.id,
      recipient_id: b!.id,
      call_type: 'video',
      status: 'initiated',
      duration: 0,
      metadata: payload.metadata,
    });
    expect(call.participants.map((stay) => stay.user_id)).toEqual([a!.id]);
    for (const device of [b!, b2]) {
      const event = await incoming(device);
      expect(event.call).toEqual(call);
      expect(event.from).toMatchObject({ _id: a!.id, username: a!.account.username });
      expect(event.from).not.toHaveProperty('email');
      expect(event.from).not.toHaveProperty('settings');
    }
    await updated(a2, 'initiated');
    await settle(a!, b!);
    expect(a!.seen('call:updated')).toEqual([]);
    expect(reasons(b!)).toEqual([]);
    expect(Object.keys(call).sort()).toEqual(
      [
        '_id',
        'call_type',
        'caller_id',
        'duration',
        'metadata',
        'participants',
        'recipient_id',
        'started_at',
        'status',
      ].sort(),
    );
    await a!.ok('call:end', { call_id: call._id });
  });

  it('reaches a device that connects while the call rings, but none that connects later', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const late = await another(server.url, b!);
    expect((await incoming(late)).call._id).toBe(call._id);
    await b!.ok('call:reject', { call_id: call._id });
    const later = await another(server.url, b!);
    await settle(later);
    expect(later.seen('call:incoming')).toEqual([]);
  });

  it('reaches a device that connects as the call begins exactly once', async () => {
    const [a, b] = await people(server.url, 2);
    for (let round = 0; round < 5; round++) {
      const connecting = Promise.all([another(server.url, b!), another(server.url, b!), another(server.url, b!)]);
      const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
      const late = await connecting;
      await Promise.all(late.map(incoming));
      await settle(...late);
      expect(late.map((device) => device.seen('call:incoming').length)).toEqual([1, 1, 1]);
      await a!.ok('call:end', { call_id: call._id });
      for (const device of late) device.close();
    }
  });

  it('is reported once; a late report changes nothing', async () => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    expect((await b!.ok('call:ringing', { call_id: call._id })).call.status).toBe('ringing');
    expect(await updated(a!, 'ringing')).toMatchObject({ user_id: b!.id, call: { status: 'ringing' } });
    await updated(b2, 'ringing');
    expect((await b2.ok('call:ringing', { call_id: call._id })).call.status).toBe('ringing');
    await b!.ok('call:accept', { call_id: call._id });
    expect((await b2.ok('call:ringing', { call_id: call._id })).call.status).toBe('ongoing');
    await b!.ok('call:end', { call_id: call._id });
    expect((await b2.ok('call:ringing', { call_id: call._id })).call.status).toBe('ended');
    await settle(a!, b!, b2);
    expect(reasons(a!)).toEqual(['ringing', 'accepted', 'ended']);
    expect((await a!.refused('call:ringing', { call_id: call._id })).code).toBe('forbidden');
  });

  it('ends when the caller gives up', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    expect((await a!.ok('call:leave', { call_id: call._id })).call.status).toBe('missed');
    expect(await updated(b!, 'cancelled')).toMatchObject({ user_id: a!.id, call: { status: 'missed' } });
    await settle(a!);
    expect(reasons(a!)).toEqual([]);
  });

  it('goes on when the caller comes back by call:join', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    a!.close();
    const back = await another(server.url, a!);
    expect((await back.ok('call:join', { call_id: call._id })).call.status).toBe('initiated');
    const { call: answered } = await b!.ok('call:accept', { call_id: call._id });
    expect(answered.status).toBe('ongoing');
    await updated(back, 'accepted', b!.id);
    expect(reasons(back)).toEqual(['accepted']);
    await back.ok('call:end', { call_id: call._id });
  });
});

describe.concurrent('answering', () => {
  it('makes the call ongoing, straight from initiated too, and silences the other devices', async () => {
    const [a, b] = await people(server.url, 2);
    const [a2, b2] = await Promise.all([another(server.url, a!), another(server.url, b!)]);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    const answer = await b!.ok('call:accept', { call_id: call._id });
    expect(answer.call.status).toBe('ongoing');
    expect(answer.ice_servers).toEqual([]);
    expect(answer.call.participants.map((stay) => stay.user_id).sort()).toEqual([a!.id, b!.id].sort());
    for (const device of [a!, a2]) expect((await updated(device, 'accepted')).user_id).toBe(b!.id);
    expect(await updated(b2, 'answered_elsewhere')).toMatchObject({ user_id: b!.id, call: { status: 'ongoing' } });
    await settle(a!, a2, b!, b2);
    expect(reasons(b!)).toEqual([]);
    expect(reasons(b2)).toEqual(['answered_elsewhere']);
    await b!.ok('call:end', { call_id: call._id });
  });

  it('has one winner when two devices accept at once', async () => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    const answers = await Promise.all([b!, b2].map((device) => device.raw('call:accept', { call_id: call._id })));
    expect(answers.map((answer) => answer.ok).sort()).toEqual([false, true]);
    expect(answers.find((answer) => !answer.ok)!.error!.code).toBe('conflict');
    await settle(a!);
    expect(reasons(a!)).toEqual(['accepted']);
    await a!.ok('call:end', { call_id: call._id });
  });

  it('is refused to the caller on every device', async () => {
    const [a, b] = await people(server.url, 2);
    const a2 = await another(server.url, a!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    for (const device of [a!, a2]) {
      expect((await device.refused('call:accept', { call_id: call._id })).code).toBe('forbidden');
    }
    expect((await b!.refused('call:join', { call_id: call._id })).code).toBe('conflict');
    await a!.ok('call:end', { call_id: call._id });
  });

  it('with a rejection tells everyone, the callee’s other devices included', async () => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    const { call: rejected } = await b!.ok('call:reject', { call_id: call._id });
    expect(rejected).toMatchObject({ status: 'rejected', duration: 0 });
    expect(rejected.ended_at).toBeDefined();
    for (const device of [a!, b2]) expect(await updated(device, 'rejected')).toMatchObject({ user_id: b!.id });
    expect((await b2.refused('call:accept', { call_id: call._id })).code).toBe('conflict');
    expect((await b2.refused('call:reject', { call_id: call._id })).code).toBe('conflict');
    expect((await a!.ok('call:end', { call_id: call._id })).call.status).toBe('rejected');
  });

  it('by hanging up while the call rings is a rejection', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    expect((await b!.ok('call:end', { call_id: call._id })).call.status).toBe('rejected');
    await updated(a!, 'rejected');
  });
});

describe.concurrent('ending', () => {
  it('comes when one leaves, and leaving again changes nothing', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    const { call: answered } = await b!.ok('call:accept', { call_id: call._id });
    const { call: ended } = await a!.ok('call:end', { call_id: call._id });
    const joined = answered.participants.find((stay) => stay.user_id === b!.id)!.joined_at;
    const seconds = Math.floor((Date.parse(ended.ended_at!) - Date.parse(joined)) / 1000);
    expect(ended).toMatchObject({ status: 'ended', duration: seconds });
    for (const stay of ended.participants) expect(stay.left_at).toBe(ended.ended_at);
    expect(await updated(b!, 'ended')).toMatchObject({ user_id: a!.id, call: ended });
    const again = await b!.ok('call:leave', { call_id: call._id });
    expect(again.call).toEqual(ended);
    await settle(a!, b!);
    expect(reasons(a!)).toEqual(['accepted']);
    expect((await a!.refused('call:join', { call_id: call._id })).code).toBe('conflict');
  });

  it('does not come when a participant whose connection was lost comes back by call:join', async () => {
    const [a, b] = await people(server.url, 2);
    const call = await talking(a!, b!);
    b!.close();
    const back = await another(server.url, b!);
    expect((await back.ok('call:join', { call_id: call._id })).call.status).toBe('ongoing');
    await updated(a!, 'moved', b!.id);
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    await back.ok('call:end', { call_id: call._id });
  });

  it('comes when one blocks the other', async () => {
    const [a, b] = await people(server.url, 2);
    const call = await talking(a!, b!);
    await b!.ok('contact:block', { user_id: a!.id });
    for (const device of [a!, b!]) expect((await updated(device, 'ended')).call.status).toBe('ended');
    for (const [one, other] of [
      [a!, b!],
      [b!, a!],
    ] as const) {
      expect((await one.refused('call:initiate', { recipient_id: other.id, call_type: 'voice' })).code).toBe(
        'forbidden',
      );
    }
    expect((await a!.refused('call:join', { call_id: call._id })).code).toBe('conflict');
  });
});

describe.concurrent('taking over on another device', () => {
  it('moves the call there and tells the old device; joining again changes nothing', async () => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const call = await talking(a!, b!);
    await b2.ok('call:join', { call_id: call._id });
    for (const device of [a!, b!]) await updated(device, 'moved', b!.id);
    await a!.ok('call:signal', { call_id: call._id, to_user_id: b!.id, signal: { sdp: 'x' } });
    expect(await signalled(b2)).toEqual({ call_id: call._id, from_user_id: a!.id, signal: { sdp: 'x' } });
    await settle(b!);
    expect(b!.seen('call:signal')).toEqual([]);
    b!.close();
    // The same device again: nothing changes.
    await b2.ok('call:join', { call_id: call._id });
    await settle(a!);
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    await b2.ok('call:end', { call_id: call._id });
  });
});

describe.concurrent('call:history', () => {
  it('gives both users the same calls, newest first, page by page', async () => {
    const [a, b] = await people(server.url, 2);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
      ids.unshift(call._id);
      await a!.ok('call:end', { call_id: call._id });
    }
    for (const device of [a!, b!]) {
      const first = await device.ok('call:history', { limit: 2 });
      expect(first).toMatchObject({ has_more: true });
      const second = await device.ok('call:history', { limit: 2, before_id: first.calls[1]!._id });
      const third = await device.ok('call:history', { limit: 2, before_id: second.calls[1]!._id });
      expect(third.has_more).toBe(false);
      expect([first, second, third].flatMap((page) => page.calls.map((call) => call._id))).toEqual(ids);
    }
    expect((await a!.refused('call:history', { limit: 101 })).code).toBe('validation_failed');
    expect((await a!.ok('call:history', { limit: 100 })).calls).toHaveLength(5);
  });
});

/** A pair's call, sentence by sentence of PROTOCOL section 8. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, register, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, people, reasons, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { CALL_RING_TIMEOUT_MS: '4000', CALL_RECONNECT_GRACE_MS: '2000' } });
});
afterAll(() => server.stop());

const NOBODY = 'f'.repeat(24);

describe.concurrent('ringing', () => {
  it('reaches all devices of the callee, with the caller as a public user, and tells the caller’s other devices', async () => {
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
      const incoming = await device.next('call:incoming');
      expect(incoming.call).toEqual(call);
      expect(incoming.from).toMatchObject({ _id: a!.id, username: a!.account.username });
      expect(incoming.from).not.toHaveProperty('email');
      expect(incoming.from).not.toHaveProperty('settings');
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

  it('reaches a device that connects while it rings, and not one that connects later', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const late = await another(server.url, b!);
    expect((await late.next('call:incoming')).call._id).toBe(call._id);
    await b!.ok('call:reject', { call_id: call._id });
    const later = await another(server.url, b!);
    await settle(later);
    expect(later.seen('call:incoming')).toEqual([]);
  });

  it('reaches a device that connects as the call begins just once', async () => {
    const [a, b] = await people(server.url, 2);
    for (let round = 0; round < 5; round++) {
      const connecting = Promise.all([another(server.url, b!), another(server.url, b!), another(server.url, b!)]);
      const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
      const late = await connecting;
      await Promise.all(late.map((device) => device.next('call:incoming')));
      await settle(...late);
      expect(late.map((device) => device.seen('call:incoming').length)).toEqual([1, 1, 1]);
      await a!.ok('call:end', { call_id: call._id });
      for (const device of late) device.close();
    }
  });

  it('is said once; a late one changes nothing', async () => {
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

  it('ends by itself: missed, for everyone', async () => {
    const [a, b] = await people(server.url, 2);
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

  it('ends when the caller gives up', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    expect((await a!.ok('call:leave', { call_id: call._id })).call.status).toBe('missed');
    expect(await updated(b!, 'cancelled')).toMatchObject({ user_id: a!.id, call: { status: 'missed' } });
    await settle(a!);
    expect(reasons(a!)).toEqual([]);
  });

  it('ends when the caller stays disconnected past the grace', async () => {
    const [a, b] = await people(server.url, 2);
    await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    a!.close();
    expect((await updated(b!, 'cancelled')).call.status).toBe('missed');
  });

  it('goes on when the caller comes back in time', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    a!.close();
    const back = await another(server.url, a!);
    expect((await back.ok('call:join', { call_id: call._id })).call.status).toBe('initiated');
    const { call: answered } = await b!.ok('call:accept', { call_id: call._id });
    expect(answered.status).toBe('ongoing');
    await new Promise((resolve) => setTimeout(resolve, 2800));
    expect(reasons(back)).toEqual(['accepted']);
    await back.ok('call:end', { call_id: call._id });
  });
});

describe.concurrent('answering', () => {
  it('makes it ongoing, straight from initiated too, and silences the other devices', async () => {
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

  it('has exactly one winner of two devices', async () => {
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

  it('is not for the caller, on whichever device', async () => {
    const [a, b] = await people(server.url, 2);
    const a2 = await another(server.url, a!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    for (const device of [a!, a2]) {
      expect((await device.refused('call:accept', { call_id: call._id })).code).toBe('forbidden');
    }
    expect((await b!.refused('call:join', { call_id: call._id })).code).toBe('conflict');
    await a!.ok('call:end', { call_id: call._id });
  });

  it('by no: rejected, told to everyone, the callee’s other devices too', async () => {
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

  it('by hanging up while it rings is a rejection', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    expect((await b!.ok('call:end', { call_id: call._id })).call.status).toBe('rejected');
    await updated(a!, 'rejected');
  });
});

describe.concurrent('ending', () => {
  it('comes when one leaves; the duration counts whole seconds from the answer', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const { call: answered } = await b!.ok('call:accept', { call_id: call._id });
    await new Promise((resolve) => setTimeout(resolve, 1600));
    const { call: ended } = await a!.ok('call:end', { call_id: call._id });
    const joined = answered.participants.find((stay) => stay.user_id === b!.id)!.joined_at;
    const seconds = Math.floor((Date.parse(ended.ended_at!) - Date.parse(joined)) / 1000);
    expect(ended).toMatchObject({ status: 'ended', duration: seconds });
    expect(seconds).toBeGreaterThanOrEqual(1);
    for (const stay of ended.participants) expect(stay.left_at).toBe(ended.ended_at);
    expect(await updated(b!, 'ended')).toMatchObject({ user_id: a!.id, call: ended });
    const again = await b!.ok('call:leave', { call_id: call._id });
    expect(again.call).toEqual(ended);
    await settle(a!, b!);
    expect(reasons(a!)).toEqual(['accepted']);
    expect((await a!.refused('call:join', { call_id: call._id })).code).toBe('conflict');
  });

  it('waits for a lost connection, which comes back by call:join', async () => {
    const [a, b] = await people(server.url, 2);
    const call = await talking(a!, b!);
    b!.close();
    const back = await another(server.url, b!);
    expect((await back.ok('call:join', { call_id: call._id })).call.status).toBe('ongoing');
    await updated(a!, 'moved', b!.id);
    await new Promise((resolve) => setTimeout(resolve, 2800));
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    await back.ok('call:end', { call_id: call._id });
  });

  it('comes when a lost connection does not come back', async () => {
    const [a, b] = await people(server.url, 2);
    await talking(a!, b!);
    b!.close();
    expect(await updated(a!, 'ended')).toMatchObject({ user_id: b!.id, call: { status: 'ended' } });
  });

  it('comes when one of the two blocks the other', async () => {
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
  it('moves the call there; the old device is told, and its disconnection ends nothing', async () => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const call = await talking(a!, b!);
    await b2.ok('call:join', { call_id: call._id });
    for (const device of [a!, b!]) await updated(device, 'moved', b!.id);
    await a!.ok('call:signal', { call_id: call._id, to_user_id: b!.id, signal: { sdp: 'x' } });
    expect(await b2.next('call:signal')).toEqual({ call_id: call._id, from_user_id: a!.id, signal: { sdp: 'x' } });
    b!.close();
    await new Promise((resolve) => setTimeout(resolve, 2800));
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    expect(b!.seen('call:signal')).toEqual([]);
    // The same device again: nothing changes.
    await b2.ok('call:join', { call_id: call._id });
    await settle(a!);
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    await b2.ok('call:end', { call_id: call._id });
  });
});

describe.concurrent('who is in a call', () => {
  it('starts no second one', async () => {
    const [a, b, c] = await people(server.url, 3);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    // Caller of one not yet answered.
    expect((await a!.refused('call:initiate', { recipient_id: c!.id, call_type: 'voice' })).code).toBe('busy');
    await b!.ok('call:accept', { call_id: call._id });
    for (const device of [a!, b!]) {
      expect((await device.refused('call:initiate', { recipient_id: c!.id, call_type: 'voice' })).code).toBe('busy');
    }
    await settle(c!);
    expect(c!.events.map((event) => event.name)).toEqual(['session:ready']);
    await a!.ok('call:end', { call_id: call._id });
    const { call: next } = await a!.ok('call:initiate', { recipient_id: c!.id, call_type: 'voice' });
    await a!.ok('call:end', { call_id: next._id });
  });

  it('is not called: the caller gets busy, the callee a missed call, which both find in their histories', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await talking(a!, b!);
    expect((await c!.refused('call:initiate', { recipient_id: b!.id, call_type: 'voice' })).code).toBe('busy');
    const event = await updated(b!, 'busy');
    expect(event.call).toMatchObject({ caller_id: c!.id, recipient_id: b!.id, status: 'missed', duration: 0 });
    expect(event.call.ended_at).toBeDefined();
    for (const device of [b!, c!]) {
      const { calls } = await device.ok('call:history', {});
      expect(calls[0]).toEqual(event.call);
    }
    await settle(b!);
    expect(b!.seen('call:incoming').map((incoming) => incoming.call._id)).toEqual([call._id]);
    // A caller that nobody has answered is in a call as well.
    await a!.ok('call:end', { call_id: call._id });
    const { call: waiting } = await b!.ok('call:initiate', { recipient_id: a!.id, call_type: 'voice' });
    expect((await c!.refused('call:initiate', { recipient_id: b!.id, call_type: 'voice' })).code).toBe('busy');
    await b!.ok('call:end', { call_id: waiting._id });
  });

  it('being rung is not being in a call; accepting while in one is busy', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const { call: first } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const { call: second } = await c!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    await b!.ok('call:accept', { call_id: first._id });
    expect((await b!.refused('call:accept', { call_id: second._id })).code).toBe('busy');
    expect((await updated(c!, 'missed')).call.status).toBe('missed');
    await a!.ok('call:end', { call_id: first._id });
    const { call: third } = await c!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const { call: own } = await b!.ok('call:initiate', { recipient_id: d!.id, call_type: 'voice' });
    await c!.ok('call:end', { call_id: third._id });
    await b!.ok('call:end', { call_id: own._id });
  });

  it('both calling each other at once: one call, and the other is told which', async () => {
    const [a, b] = await people(server.url, 2);
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all([
        a!.raw('call:initiate', { recipient_id: b!.id, call_type: 'voice' }),
        b!.raw('call:initiate', { recipient_id: a!.id, call_type: 'voice' }),
      ]);
      const won = answers.find((answer) => answer.ok)!.data as { call: { _id: string; caller_id: string } };
      const lost = answers.find((answer) => !answer.ok)!.error!;
      expect(lost).toMatchObject({ code: 'conflict', details: { call_id: won.call._id } });
      const callee = won.call.caller_id === a!.id ? b! : a!;
      await callee.ok('call:accept', { call_id: won.call._id });
      await callee.ok('call:end', { call_id: won.call._id });
    }
  });
});

describe.concurrent('what is refused', () => {
  it('calls to oneself, to nobody, to a deactivated user, and malformed ones', async () => {
    const [a, b] = await people(server.url, 2);
    const gone = await register(server.url);
    const initiate = async (payload: object) => (await a!.refused('call:initiate', payload)).code;
    expect(await initiate({ recipient_id: a!.id, call_type: 'voice' })).toBe('validation_failed');
    expect(await initiate({ recipient_id: NOBODY, call_type: 'voice' })).toBe('not_found');
    expect(await initiate({ group_id: NOBODY, call_type: 'voice' })).toBe('not_found');
    expect(await initiate({ recipient_id: b!.id })).toBe('validation_failed');
    expect(await initiate({ recipient_id: b!.id, group_id: NOBODY, call_type: 'voice' })).toBe('validation_failed');
    expect(await initiate({ recipient_id: b!.id, call_type: 'fax' })).toBe('validation_failed');
    const device = await connect(server.url, gone);
    await fetch(`${server.url}/users/me`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${gone.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ password: gone.password }),
    });
    device.close();
    expect(await initiate({ recipient_id: gone.id, call_type: 'voice' })).toBe('not_found');
  });

  it('metadata above 4 KiB, or with names that the database would read as its own', async () => {
    const [a, b] = await people(server.url, 2);
    const initiate = (metadata: object) =>
      a!.raw('call:initiate', { recipient_id: b!.id, call_type: 'voice', metadata });
    const fits = { note: 'é'.repeat((4096 - '{"note":""}'.length - 1) / 2) };
    const { data } = (await initiate(fits)) as { data: { call: { _id: string; metadata: object } } };
    expect(data.call.metadata).toEqual(fits);
    await a!.ok('call:end', { call_id: data.call._id });
    for (const metadata of [
      { note: 'é'.repeat(2045) },
      { a: { $ref: 'users', $id: 'x' } },
      { _bsontype: 'ObjectId' },
    ]) {
      expect((await initiate(metadata)).error!.code).toBe('validation_failed');
    }
  });

  it('every command of a stranger: not_found', async () => {
    const [a, b, stranger] = await people(server.url, 3);
    const call = await talking(a!, b!);
    for (const name of ['ringing', 'accept', 'reject', 'join', 'leave', 'end']) {
      expect((await stranger!.refused(`call:${name}`, { call_id: call._id })).code).toBe('not_found');
      expect((await stranger!.refused(`call:${name}`, { call_id: NOBODY })).code).toBe('not_found');
      expect((await stranger!.refused(`call:${name}`, { call_id: 'x' })).code).toBe('validation_failed');
    }
    const signal = { call_id: call._id, to_user_id: a!.id, signal: {} };
    expect((await stranger!.refused('call:signal', signal)).code).toBe('not_found');
    expect((await stranger!.refused('call:history', { before_id: call._id })).code).toBe('not_found');
    await a!.ok('call:end', { call_id: call._id });
    expect((await stranger!.refused('call:leave', { call_id: call._id })).code).toBe('not_found');
  });
});

describe.concurrent('history', () => {
  it('is newest first, page by page, the same for both', async () => {
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

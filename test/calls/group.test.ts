/** A group's call on a real server (protocol, section 8). Timeouts are in `timeouts.test.ts` and `timers.test.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../support/client.ts';
import { settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, groupOf, incoming, PATIENT, people, reasons, signalled, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    env: { ...PATIENT, GROUP_CALL_MAX: '3' },
  });
});
afterAll(() => server.stop());

const start = async (device: Device, group_id: string) =>
  (await device.ok('call:initiate', { group_id, call_type: 'video' })).call;

describe.concurrent('a group’s call', () => {
  it('rings all members; the caller takes part from the start', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    expect(call.participants.map((stay) => stay.user_id)).toEqual([a!.id]);
    for (const device of [b!, c!]) expect((await incoming(device)).call).toEqual(call);
    await b!.ok('call:ringing', { call_id: call._id });
    for (const device of [a!, c!]) expect((await updated(device, 'ringing', b!.id)).call.status).toBe('ringing');
    await c!.ok('call:ringing', { call_id: call._id });
    await settle(a!);
    expect(reasons(a!)).toEqual(['ringing']);
    await a!.ok('call:end', { call_id: call._id });
    for (const device of [b!, c!]) expect((await updated(device, 'cancelled', a!.id)).call.status).toBe('missed');
  });

  it('becomes ongoing with the first answer, is joined by later ones, and ends when the last participant leaves', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const c2 = await another(server.url, c!);
    const call = await start(a!, await groupOf([a!, b!, c!, d!]));
    const of = { call_id: call._id };
    expect((await b!.ok('call:join', of)).call.status).toBe('ongoing');
    for (const device of [a!, c!, c2, d!]) await updated(device, 'accepted', b!.id);
    await c!.ok('call:accept', of);
    for (const device of [a!, b!, d!]) await updated(device, 'joined', c!.id);
    await updated(c2, 'answered_elsewhere', c!.id);
    // Full: three at once.
    expect((await d!.refused('call:join', of)).code).toBe('busy');
    expect((await c2.refused('call:accept', of)).code).toBe('conflict');
    await a!.ok('call:leave', of);
    expect((await updated(b!, 'left', a!.id)).call.status).toBe('ongoing');
    await d!.ok('call:join', of);
    expect((await a!.refused('call:accept', of)).code).toBe('forbidden');
    await Promise.all([b!.ok('call:end', of), c!.ok('call:end', of)]);
    expect((await d!.ok('call:leave', of)).call.status).toBe('ended');
    const ended = (await updated(a!, 'ended', d!.id)).call;
    expect(ended.participants.map((stay) => stay.user_id)).toEqual([a!, b!, c!, d!].map((device) => device.id));
    expect(ended.participants.every((stay) => stay.left_at !== undefined)).toBe(true);
    expect((await a!.refused('call:join', of)).code).toBe('conflict');
    expect((await a!.ok('call:leave', of)).call).toEqual(ended);
  });

  it('can be joined again, as a new stay, by members who left or rejected it', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    const of = { call_id: call._id };
    expect((await b!.ok('call:reject', of)).call.status).toBe('initiated');
    await updated(a!, 'rejected', b!.id);
    expect((await b!.refused('call:reject', of)).code).toBe('conflict');
    await b!.ok('call:join', of);
    await updated(a!, 'accepted', b!.id);
    await b!.ok('call:leave', of);
    // Leaving twice changes nothing.
    await b!.ok('call:leave', of);
    const { call: again } = await b!.ok('call:join', of);
    expect(again.participants.map((stay) => stay.user_id)).toEqual([a!.id, b!.id, b!.id]);
    expect(again.participants.map((stay) => stay.left_at !== undefined)).toEqual([false, true, false]);
    await updated(a!, 'joined', b!.id);
    await Promise.all([a!.ok('call:end', of), b!.ok('call:end', of)]);
  });

  it('is rejected when all members reject it', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    await b!.ok('call:reject', { call_id: call._id });
    expect((await c!.ok('call:end', { call_id: call._id })).call.status).toBe('rejected');
    expect((await updated(a!, 'rejected', c!.id)).call.status).toBe('rejected');
  });

  it('is one at a time: a second attempt is told of the first', async () => {
    const [a, b, c] = await people(server.url, 3);
    const group_id = await groupOf([a!, b!, c!]);
    const answers = await Promise.all(
      [a!, b!, c!].map((device) => device.raw('call:initiate', { group_id, call_type: 'voice' })),
    );
    const won = answers.filter((answer) => answer.ok) as { data: { call: { _id: string } } }[];
    expect(won).toHaveLength(1);
    const call_id = won[0]!.data.call._id;
    for (const { ok, error } of answers) {
      if (!ok) expect(error).toMatchObject({ code: 'conflict', details: { call_id } });
    }
    for (const device of [a!, b!, c!]) {
      expect(await device.refused('call:initiate', { group_id, call_type: 'voice' })).toMatchObject({
        code: 'conflict',
        details: { call_id },
      });
    }
  });

  it('does not ring members who are in another call, but lets them join afterwards', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const group = await groupOf([a!, b!, c!, d!]);
    const pair = await talking(c!, d!);
    const call = await start(a!, group);
    await incoming(b!);
    await settle(c!, d!);
    expect(c!.seen('call:incoming')).toEqual([]);
    expect((await c!.refused('call:join', { call_id: call._id })).code).toBe('busy');
    expect((await c!.refused('call:initiate', { group_id: group, call_type: 'voice' })).code).toBe('busy');
    await b!.ok('call:accept', { call_id: call._id });
    await c!.ok('call:end', { call_id: pair._id });
    const { calls } = await c!.ok('sync', {});
    expect(calls.map((each) => each._id)).toEqual([call._id]);
    await c!.ok('call:join', { call_id: call._id });
    await updated(a!, 'joined', c!.id);
    await Promise.all([a!, b!, c!].map((device) => device.ok('call:end', { call_id: call._id })));
  });

  it('loses a removed member within 2 s, who is told nothing more', async () => {
    const [a, b, c] = await people(server.url, 3);
    const group_id = await groupOf([a!, b!, c!]);
    const call = await start(a!, group_id);
    const of = { call_id: call._id };
    await b!.ok('call:accept', of);
    await c!.ok('call:accept', of);
    await updated(b!, 'joined', c!.id);
    await settle(c!);
    c!.clear();
    const { group } = await a!.ok('group:remove_member', { group_id, user_id: c!.id });
    const left = await updated(b!, 'left');
    expect(left.user_id).toBe(c!.id);
    // Within two seconds, by the stamps of the server.
    const { left_at } = left.call.participants.find((stay) => stay.user_id === c!.id)!;
    expect(Date.parse(left_at!) - Date.parse(group.updated_at)).toBeLessThanOrEqual(2000);
    for (const name of ['join', 'leave', 'accept', 'reject', 'ringing']) {
      expect((await c!.refused(`call:${name}`, of)).code).toBe('not_found');
    }
    const signal = { ...of, to_user_id: a!.id, signal: {} };
    expect((await c!.refused('call:signal', signal)).code).toBe('not_found');
    expect((await b!.refused('call:signal', { ...signal, to_user_id: c!.id })).code).toBe('not_found');
    await a!.ok('call:end', of);
    await b!.ok('call:end', of);
    await settle(c!);
    expect(c!.seen('call:updated')).toEqual([]);
    expect((await c!.ok('call:history', {})).calls).toEqual([]);
    expect((await b!.ok('call:history', {})).calls.map((each) => each._id)).toEqual([call._id]);
  });

  it('ends when the group is deleted', async () => {
    const [a, b] = await people(server.url, 2);
    const group_id = await groupOf([a!, b!]);
    const call = await start(a!, group_id);
    await b!.ok('call:accept', { call_id: call._id });
    await a!.ok('group:delete', { group_id });
    expect((await updated(b!, 'ended')).call.status).toBe('ended');
    expect((await b!.refused('call:join', { call_id: call._id })).code).toBe('not_found');
  });

  it('goes on between members who block each other', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    await b!.ok('contact:block', { user_id: a!.id });
    expect((await b!.ok('call:accept', { call_id: call._id })).call.status).toBe('ongoing');
    await a!.ok('call:signal', { call_id: call._id, to_user_id: b!.id, signal: { x: 1 } });
    expect((await signalled(b!)).signal).toEqual({ x: 1 });
    await Promise.all([a!, b!].map((device) => device.ok('call:end', { call_id: call._id })));
  });
});

describe.concurrent('sync', () => {
  it('lists the caller’s calls that are not over, and ongoing calls of the caller’s groups', async () => {
    const [a, b, c] = await people(server.url, 3);
    const group_id = await groupOf([a!, b!, c!]);
    const calls = async (device: typeof a) => (await device!.ok('sync', {})).calls.map((call) => call._id);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    expect([await calls(a), await calls(b), await calls(c)]).toEqual([[call._id], [call._id], []]);
    await a!.ok('call:end', { call_id: call._id });
    expect([await calls(a), await calls(b)]).toEqual([[], []]);
    const { call: inGroup } = await a!.ok('call:initiate', { group_id, call_type: 'voice' });
    expect(await calls(c)).toEqual([inGroup._id]);
    await b!.ok('call:accept', { call_id: inGroup._id });
    await c!.ok('call:reject', { call_id: inGroup._id });
    expect([await calls(a), await calls(b), await calls(c)]).toEqual([[inGroup._id], [inGroup._id], [inGroup._id]]);
    await Promise.all([a!, b!].map((device) => device.ok('call:end', { call_id: inGroup._id })));
    expect(await calls(c)).toEqual([]);
  });
});

/** A group's call, sentence by sentence of PROTOCOL section 8. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../support/client.ts';
import { settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, groupOf, people, reasons, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    env: { CALL_RING_TIMEOUT_MS: '4000', CALL_RECONNECT_GRACE_MS: '2000', GROUP_CALL_MAX: '3' },
  });
});
afterAll(() => server.stop());

const start = async (device: Device, group_id: string) =>
  (await device.ok('call:initiate', { group_id, call_type: 'video' })).call;

describe.concurrent('a call in a group', () => {
  it('rings all members; the caller takes part from the start', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    expect(call.participants.map((stay) => stay.user_id)).toEqual([a!.id]);
    for (const device of [b!, c!]) expect((await device.next('call:incoming')).call).toEqual(call);
    await b!.ok('call:ringing', { call_id: call._id });
    for (const device of [a!, c!]) expect((await updated(device, 'ringing', b!.id)).call.status).toBe('ringing');
    await c!.ok('call:ringing', { call_id: call._id });
    await settle(a!);
    expect(reasons(a!)).toEqual(['ringing']);
    await a!.ok('call:end', { call_id: call._id });
    for (const device of [b!, c!]) expect((await updated(device, 'cancelled', a!.id)).call.status).toBe('missed');
  });

  it('becomes ongoing by the first answer; later ones join; a call goes on with one alone and ends with the last', async () => {
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

  it('lets who left or declined join again, as a new entry', async () => {
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

  it('is rejected when all decline, missed when nobody answers', async () => {
    const [a, b, c] = await people(server.url, 3);
    const group = await groupOf([a!, b!, c!]);
    const first = await start(a!, group);
    await b!.ok('call:reject', { call_id: first._id });
    expect((await c!.ok('call:end', { call_id: first._id })).call.status).toBe('rejected');
    expect((await updated(a!, 'rejected', c!.id)).call.status).toBe('rejected');
    const second = await start(b!, group);
    await c!.ok('call:reject', { call_id: second._id });
    for (const device of [a!, b!, c!]) expect((await updated(device, 'missed')).call.status).toBe('missed');
  });

  it('stops ringing for each who has not answered at the timeout', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const call = await start(a!, await groupOf([a!, b!, c!, d!]));
    await b!.ok('call:accept', { call_id: call._id });
    for (const device of [a!, b!, c!, d!]) {
      for (const missing of [c!, d!]) expect((await updated(device, 'missed', missing.id)).call.status).toBe('ongoing');
    }
    await d!.ok('call:join', { call_id: call._id });
    await updated(a!, 'joined', d!.id);
    await Promise.all([a!, b!, d!].map((device) => device.ok('call:end', { call_id: call._id })));
  });

  it('is one at a time: a second one is told which there is', async () => {
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

  it('does not ring members who are in a call, but lets them join afterwards', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const group = await groupOf([a!, b!, c!, d!]);
    const pair = await talking(c!, d!);
    const call = await start(a!, group);
    await b!.next('call:incoming');
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

  it('loses a member who is removed, at once, and says nothing more to them', async () => {
    const [a, b, c] = await people(server.url, 3);
    const group_id = await groupOf([a!, b!, c!]);
    const call = await start(a!, group_id);
    const of = { call_id: call._id };
    await b!.ok('call:accept', of);
    await c!.ok('call:accept', of);
    await updated(b!, 'joined', c!.id);
    await settle(c!);
    c!.clear();
    await a!.ok('group:remove_member', { group_id, user_id: c!.id });
    expect((await b!.next('call:updated', (event) => event.reason === 'left', 2000)).user_id).toBe(c!.id);
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

  it('ends when the group does', async () => {
    const [a, b] = await people(server.url, 2);
    const group_id = await groupOf([a!, b!]);
    const call = await start(a!, group_id);
    await b!.ok('call:accept', { call_id: call._id });
    await a!.ok('group:delete', { group_id });
    expect((await updated(b!, 'ended')).call.status).toBe('ended');
    expect((await b!.refused('call:join', { call_id: call._id })).code).toBe('not_found');
  });

  it('goes on when a caller is gone after an answer, and ends when the last one is', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    await b!.ok('call:accept', { call_id: call._id });
    a!.close();
    expect((await updated(c!, 'left', a!.id)).call.status).toBe('ongoing');
    b!.close();
    expect((await updated(c!, 'ended', b!.id)).call.status).toBe('ended');
  });

  it('goes on between two who block each other', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await start(a!, await groupOf([a!, b!, c!]));
    await b!.ok('contact:block', { user_id: a!.id });
    expect((await b!.ok('call:accept', { call_id: call._id })).call.status).toBe('ongoing');
    await a!.ok('call:signal', { call_id: call._id, to_user_id: b!.id, signal: { x: 1 } });
    expect((await b!.next('call:signal')).signal).toEqual({ x: 1 });
    await Promise.all([a!, b!].map((device) => device.ok('call:end', { call_id: call._id })));
  });
});

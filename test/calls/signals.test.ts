/** The relay of signals, and what `sync` says of calls (PROTOCOL sections 4 and 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, groupOf, people, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { LOG_LEVEL: 'trace', CALL_RECONNECT_GRACE_MS: '20000' } });
});
afterAll(() => server.stop());

describe.concurrent('a signal', () => {
  it('arrives untouched, in order, at the device in the call and at no other', async ({ expect }) => {
    const [a, b] = await people(server.url, 2);
    const [a2, b2] = await Promise.all([another(server.url, a!), another(server.url, b!)]);
    const { _id: call_id } = await talking(a!, b!);
    const signal = {
      type: 'offer',
      sdp: 'v=0\r\n\0\ud800é',
      list: [1, -0.5, null, { deep: true }],
      $gt: '',
      'a\0\ud800': '',
    };
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal });
    expect(await b!.next('call:signal')).toEqual({ call_id, from_user_id: a!.id, signal });
    b!.clear();
    const sent = Array.from({ length: 50 }, (_, n) => ({ n }));
    await Promise.all(sent.map((each) => a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: each })));
    await expect.poll(() => b!.seen('call:signal').map((event) => event.signal), { timeout: 5000 }).toEqual(sent);
    await settle(a2, b2);
    expect([...a2.seen('call:signal'), ...b2.seen('call:signal'), ...a!.seen('call:signal')]).toEqual([]);
    await a!.ok('call:end', { call_id });
  });

  it('of 64 KiB passes, a larger one does not', async () => {
    const [a, b] = await people(server.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    const sized = (bytes: number) => ({ x: 'é'.repeat((bytes - '{"x":""}'.length) / 2) });
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: sized(65_536) });
    expect((await b!.next('call:signal')).signal).toEqual(sized(65_536));
    const refused = await a!.refused('call:signal', { call_id, to_user_id: b!.id, signal: sized(65_538) });
    expect(refused.code).toBe('payload_too_large');
    for (const signal of ['text', ['list'], null, 7]) {
      expect((await a!.refused('call:signal', { call_id, to_user_id: b!.id, signal })).code).toBe('validation_failed');
    }
    await a!.ok('call:end', { call_id });
  });

  it('passes only between devices in the ongoing call', async () => {
    const [a, b, c] = await people(server.url, 3);
    const b2 = await another(server.url, b!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const to = (id: string) => ({ call_id: call._id, to_user_id: id, signal: {} });
    expect((await a!.refused('call:signal', to(b!.id))).code).toBe('conflict');
    expect((await b!.refused('call:signal', to(a!.id))).code).toBe('conflict');
    await b!.ok('call:accept', { call_id: call._id });
    expect((await b2.refused('call:signal', to(a!.id))).code).toBe('forbidden');
    expect((await a!.refused('call:signal', to(c!.id))).code).toBe('not_found');
    expect((await c!.refused('call:signal', to(a!.id))).code).toBe('not_found');
    await a!.ok('call:end', { call_id: call._id });
    expect((await a!.refused('call:signal', to(b!.id))).code).toBe('conflict');
    expect((await c!.refused('call:signal', to(b!.id))).code).toBe('not_found');
  });

  it('in a group goes to the one addressed; a member who is not in the call may not send', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const group_id = await groupOf([a!, b!, c!, d!]);
    const { call } = await a!.ok('call:initiate', { group_id, call_type: 'video' });
    const call_id = call._id;
    await b!.ok('call:accept', { call_id });
    await c!.ok('call:accept', { call_id });
    await a!.ok('call:signal', { call_id, to_user_id: c!.id, signal: { for: 'c' } });
    expect((await c!.next('call:signal')).signal).toEqual({ for: 'c' });
    await settle(b!, d!);
    expect([...b!.seen('call:signal'), ...d!.seen('call:signal')]).toEqual([]);
    expect((await d!.refused('call:signal', { call_id, to_user_id: a!.id, signal: {} })).code).toBe('forbidden');
    expect((await a!.refused('call:signal', { call_id, to_user_id: d!.id, signal: {} })).code).toBe('not_found');
    await Promise.all([a!, b!, c!].map((device) => device.ok('call:end', { call_id })));
  });

  it('to a participant whose connection is lost goes nowhere, and after the return to the new device', async ({
    expect,
  }) => {
    const [a, b] = await people(server.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    b!.close();
    const back = await another(server.url, b!);
    await expect.poll(() => a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: {} })).toEqual({});
    await back.ok('call:join', { call_id });
    await updated(a!, 'moved', b!.id);
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: { again: true } });
    expect((await back.next('call:signal')).signal).toEqual({ again: true });
    await a!.ok('call:end', { call_id });
  });

  it('is in no log', async () => {
    const [a, b] = await people(server.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: { sdp: 'a-secret-candidate' } });
    await a!.refused('call:signal', { call_id, to_user_id: call_id, signal: { sdp: 'a-secret-candidate' } });
    await a!.ok('call:end', { call_id });
    expect(server.output()).not.toContain('a-secret-candidate');
  });
});

describe.concurrent('sync', () => {
  it('lists the caller’s calls that are not over, and ongoing ones of the groups', async () => {
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

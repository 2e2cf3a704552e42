/** The relay of signals (protocol, section 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settle } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { another, groupOf, PATIENT, people, signalled, talking, updated } from './scene.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess({ env: { ...PATIENT, LOG_LEVEL: 'trace' } });
});
afterAll(() => server.stop());

describe.concurrent('a signal', () => {
  it('arrives untouched and in order at the device in the call, and at no other', async ({ expect }) => {
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
    expect(await signalled(b!)).toEqual({ call_id, from_user_id: a!.id, signal });
    b!.clear();
    const sent = Array.from({ length: 50 }, (_, n) => ({ n }));
    await Promise.all(sent.map((each) => a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: each })));
    await eventually(() => expect(b!.seen('call:signal').map((event) => event.signal)).toEqual(sent));
    await settle(a2, b2);
    expect([...a2.seen('call:signal'), ...b2.seen('call:signal'), ...a!.seen('call:signal')]).toEqual([]);
    await a!.ok('call:end', { call_id });
  });

  it('is an object of at most 64 KiB', async () => {
    const [a, b] = await people(server.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    const sized = (bytes: number) => ({ x: 'é'.repeat((bytes - '{"x":""}'.length) / 2) });
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: sized(65_536) });
    expect((await signalled(b!)).signal).toEqual(sized(65_536));
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

  it('in a group goes to the addressee only; members who are not in the call cannot send', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const group_id = await groupOf([a!, b!, c!, d!]);
    const { call } = await a!.ok('call:initiate', { group_id, call_type: 'video' });
    const call_id = call._id;
    await b!.ok('call:accept', { call_id });
    await c!.ok('call:accept', { call_id });
    await a!.ok('call:signal', { call_id, to_user_id: c!.id, signal: { for: 'c' } });
    expect((await signalled(c!)).signal).toEqual({ for: 'c' });
    await settle(b!, d!);
    expect([...b!.seen('call:signal'), ...d!.seen('call:signal')]).toEqual([]);
    expect((await d!.refused('call:signal', { call_id, to_user_id: a!.id, signal: {} })).code).toBe('forbidden');
    expect((await a!.refused('call:signal', { call_id, to_user_id: d!.id, signal: {} })).code).toBe('not_found');
    await Promise.all([a!, b!, c!].map((device) => device.ok('call:end', { call_id })));
  });

  it('to a participant whose connection is lost is dropped; after the return it goes to the new device', async ({
    expect,
  }) => {
    const [a, b] = await people(server.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    b!.close();
    const back = await another(server.url, b!);
    await eventually(async () =>
      expect(await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: {} })).toEqual({}),
    );
    await back.ok('call:join', { call_id });
    await updated(a!, 'moved', b!.id);
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: { again: true } });
    expect((await signalled(back)).signal).toEqual({ again: true });
    await a!.ok('call:end', { call_id });
  });

  it('is never logged', async () => {
    const [a, b] = await people(server.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    await a!.ok('call:signal', { call_id, to_user_id: b!.id, signal: { sdp: 'a-secret-candidate' } });
    await a!.refused('call:signal', { call_id, to_user_id: call_id, signal: { sdp: 'a-secret-candidate' } });
    await a!.ok('call:end', { call_id });
    expect(server.output()).not.toContain('a-secret-candidate');
  });
});

/** What `call:history` and `sync` say of calls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { groupOf, PATIENT, people } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: PATIENT });
});
afterAll(() => server.stop());

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

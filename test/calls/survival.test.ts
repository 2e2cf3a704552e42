/** Calls outlive the server process: what it left is settled by the next one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServerForTest } from '../support/server.ts';
import { another, people, talking, updated } from './scene.ts';

const env = { CALL_RING_TIMEOUT_MS: '6000', CALL_RECONNECT_GRACE_MS: '4000' };

async function folder(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('after kill -9 and a restart', () => {
  it('nothing is left ringing or ongoing, and the histories are right', async () => {
    const dataDir = await folder();
    const first = await startServerForTest({ env, dataDir });
    const [a, b, c, d, e, f] = await people(first.url, 6);
    const ongoing = await talking(a!, b!);
    const { call: ringing } = await c!.ok('call:initiate', { recipient_id: d!.id, call_type: 'voice' });
    const returning = await talking(e!, f!);
    await first.kill();

    const second = await startServerForTest({ env, dataDir });
    // Two come back in time, and their call goes on; the others do not.
    const [e2, f2] = await Promise.all([another(second.url, e!), another(second.url, f!)]);
    await Promise.all([e2, f2].map((device) => device.ok('call:join', { call_id: returning._id })));
    const [a2, c2, d2] = await Promise.all([a!, c!, d!].map((device) => another(second.url, device)));
    const historyOf = async (device: typeof a2) => (await device!.ok('call:history', {})).calls[0]!;
    await expect.poll(async () => (await historyOf(a2)).status, { timeout: 12_000 }).toBe('ended');
    await expect.poll(async () => (await historyOf(d2)).status, { timeout: 12_000 }).toBe('missed');
    const ended = await historyOf(a2);
    expect(ended).toMatchObject({ _id: ongoing._id });
    expect(ended.duration).toBeLessThanOrEqual((Date.parse(ended.ended_at!) - Date.parse(ended.started_at)) / 1000);
    expect(ended.participants.every((stay) => stay.left_at !== undefined)).toBe(true);
    expect(await historyOf(c2)).toMatchObject({ _id: ringing._id, status: 'missed', duration: 0 });
    for (const device of [a2, c2, d2]) expect((await device!.ok('sync', {})).calls).toEqual([]);

    expect(await historyOf(e2)).toMatchObject({ _id: returning._id, status: 'ongoing' });
    await e2.ok('call:signal', { call_id: returning._id, to_user_id: f!.id, signal: { still: 'here' } });
    expect((await f2.next('call:signal')).signal).toEqual({ still: 'here' });
    await e2.ok('call:end', { call_id: returning._id });
    expect((await updated(f2, 'ended')).call.status).toBe('ended');
  });
});

describe('after an orderly restart', () => {
  it('the grace counts from the restart, however long it took', async () => {
    const dataDir = await folder();
    const first = await startServerForTest({ env, dataDir });
    const [a, b] = await people(first.url, 2);
    const call = await talking(a!, b!);
    first.signal('SIGTERM');
    await expect.poll(() => a!.socket.connected).toBe(false);
    await first.stop();
    await new Promise((resolve) => setTimeout(resolve, 4500));

    const second = await startServerForTest({ env, dataDir });
    const a2 = await another(second.url, a!);
    await a2.ok('call:join', { call_id: call._id });
    // The other one stays away.
    expect((await a2.next('call:updated', (event) => event.reason === 'ended', 12_000)).call.status).toBe('ended');
  });
});

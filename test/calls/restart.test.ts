/** Calls outlive the server process: the next one settles what it left, however it ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Device } from '../support/client.ts';
import { startServerForTest, type TestServer } from '../support/server.ts';
import { another, PATIENT, people, signalled, talking, updated } from './scene.ts';

const GRACE_MS = 300;
const IMPATIENT = { ...PATIENT, CALL_RECONNECT_GRACE_MS: String(GRACE_MS) };

async function folder(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const latest = async (device: Device) => (await device.ok('call:history', {})).calls[0]!;

describe.each<[string, (server: TestServer) => Promise<unknown>]>([
  ['SIGKILL', (server) => server.kill()],
  ['SIGTERM', (server) => server.stop()],
])('after %s and a restart', (_signal, end) => {
  it('calls end that nobody comes back to, and the histories are right', async () => {
    const dataDir = await folder();
    const first = await startServerForTest({ env: PATIENT, dataDir });
    const [a, b, c, d] = await people(first.url, 4);
    const ongoing = await talking(a!, b!);
    const { call: ringing } = await c!.ok('call:initiate', { recipient_id: d!.id, call_type: 'voice' });
    await end(first);

    const second = await startServerForTest({ env: IMPATIENT, dataDir });
    const [a2, c2, d2] = (await Promise.all([a!, c!, d!].map((device) => another(second.url, device)))) as [
      Device,
      Device,
      Device,
    ];
    await expect.poll(async () => (await latest(a2)).status, { timeout: 30_000 }).toBe('ended');
    await expect.poll(async () => (await latest(d2)).status, { timeout: 30_000 }).toBe('missed');
    const ended = await latest(a2);
    expect(ended).toMatchObject({ _id: ongoing._id });
    expect(ended.duration).toBeLessThanOrEqual((Date.parse(ended.ended_at!) - Date.parse(ended.started_at)) / 1000);
    expect(ended.participants.every((stay) => stay.left_at !== undefined)).toBe(true);
    expect(await latest(c2)).toMatchObject({ _id: ringing._id, status: 'missed', duration: 0 });
    for (const device of [a2, c2, d2]) expect((await device.ok('sync', {})).calls).toEqual([]);
  });

  it('a call goes on whose users come back: their grace period counts from the restart', async () => {
    const dataDir = await folder();
    const first = await startServerForTest({ env: IMPATIENT, dataDir });
    const [a, b] = await people(first.url, 2);
    const { _id: call_id } = await talking(a!, b!);
    await end(first);
    // Had it begun before the restart, it would be over by then.
    await delay(GRACE_MS);

    const second = await startServerForTest({ env: PATIENT, dataDir });
    const [a2, b2] = (await Promise.all([a!, b!].map((device) => another(second.url, device)))) as [Device, Device];
    await Promise.all([a2, b2].map((device) => device.ok('call:join', { call_id })));
    expect(await latest(a2)).toMatchObject({ _id: call_id, status: 'ongoing' });
    await a2.ok('call:signal', { call_id, to_user_id: b!.id, signal: { still: 'here' } });
    expect((await signalled(b2)).signal).toEqual({ still: 'here' });
    await a2.ok('call:end', { call_id });
    expect((await updated(b2, 'ended')).call.status).toBe('ended');
  });
});

/** Calls outlive the server process: the next one settles what it left, however it ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Call } from '../../shared/contract/documents.ts';
import type { Device } from '../support/client.ts';
import { type ServerProcess, startProcessForTest } from '../support/server-process.ts';
import { another, PATIENT, people, signalled, talking, updated } from './scene.ts';

const GRACE_MS = 300;
const IMPATIENT = { ...PATIENT, CALL_RECONNECT_GRACE_MS: String(GRACE_MS) };

async function folder(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const latest = async (device: Device) => (await device.ok('call:history', {})).calls[0]!;

/** Calls that nobody comes back to end, and the histories are right. */
async function checkEnded(url: string, ongoing: Call, ringing: Call, [a, , c, d]: Device[]): Promise<void> {
  const [a2, c2, d2] = await Promise.all([another(url, a!), another(url, c!), another(url, d!)]);
  await expect.poll(async () => (await latest(a2)).status, { timeout: 30_000 }).toBe('ended');
  await expect.poll(async () => (await latest(d2)).status, { timeout: 30_000 }).toBe('missed');
  const ended = await latest(a2);
  expect(ended).toMatchObject({ _id: ongoing._id });
  expect(ended.duration).toBeLessThanOrEqual((Date.parse(ended.ended_at!) - Date.parse(ended.started_at)) / 1000);
  expect(ended.participants.every((stay) => stay.left_at !== undefined)).toBe(true);
  expect(await latest(c2)).toMatchObject({ _id: ringing._id, status: 'missed', duration: 0 });
  for (const device of [a2, c2, d2]) expect((await device.ok('sync', {})).calls).toEqual([]);
}

/** A call whose users come back goes on, passes signals and can be ended. */
async function checkGoesOn(url: string, call_id: string, users: [Device, Device]): Promise<void> {
  const [one, other] = await Promise.all([another(url, users[0]), another(url, users[1])]);
  await Promise.all([one, other].map((device) => device.ok('call:join', { call_id })));
  expect(await latest(one)).toMatchObject({ _id: call_id, status: 'ongoing' });
  await one.ok('call:signal', { call_id, to_user_id: other.id, signal: { still: 'here' } });
  expect((await signalled(other)).signal).toEqual({ still: 'here' });
  await one.ok('call:end', { call_id });
  expect((await updated(other, 'ended')).call.status).toBe('ended');
}

it.each<[string, (server: ServerProcess) => Promise<unknown>]>([
  ['SIGKILL', (server) => server.kill()],
  ['SIGTERM', (server) => server.stop()],
])(
  'after %s and a restart, calls end that nobody comes back to, and others go on',
  async (_signal, end) => {
    const dataDir = await folder();
    const first = await startProcessForTest({ env: PATIENT, dataDir });
    const left = await people(first.url, 4);
    const [a, b, c, d] = left as [Device, Device, Device, Device];
    const ongoing = await talking(a, b);
    const { call: ringing } = await c.ok('call:initiate', { recipient_id: d.id, call_type: 'voice' });
    await end(first);

    const second = await startProcessForTest({ env: IMPATIENT, dataDir });
    await checkEnded(second.url, ongoing, ringing, left);
    const returning = (await people(second.url, 2)) as [Device, Device];
    const { _id } = await talking(...returning);
    await end(second);
    // A grace period that did not count from the restart would be over by then.
    await delay(GRACE_MS);

    const third = await startProcessForTest({ env: PATIENT, dataDir });
    await checkGoesOn(third.url, _id, returning);
  },
  180_000,
);

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';

const GRACE_MS = 1500;
/** A killed node's users go offline within 30 s (PROTOCOL section 6), in milliseconds. */
const OFFLINE_MS = 30_000;

let cluster: Cluster;
let one: string;
let two: string;

beforeAll(async () => {
  cluster = await startCluster(2, { PRESENCE_GRACE_MS: String(GRACE_MS) });
  [one, two] = cluster.urls as [string, string];
});

afterAll(() => cluster.stop());

/** Two contacts, each connected to another node. */
async function contacts(): Promise<[Device, Device]> {
  const [A, B] = await Promise.all([register(one), register(two)]);
  const [a, b] = await Promise.all([connect(one, A), connect(two, B)]);
  await a.ok('contact:request', { user_id: b.id });
  await b.ok('contact:accept', { user_id: a.id });
  return [a, b];
}

const is = (device: Device, status: string) => (event: { presence: { user_id: string; status: string } }) =>
  event.presence.user_id === device.id && event.presence.status === status;

describe('presence over nodes', () => {
  it('counts the devices on all nodes', async () => {
    const [a, b] = await contacts();
    await a.next('presence:changed', is(b, 'online'));
    const elsewhere = await connect(one, b.account);
    await elsewhere.ok('presence:set', { status: 'away' });
    b.close();
    await a.next('presence:changed', is(b, 'away'));
    a.clear();
    const back = await connect(two, b.account);
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    elsewhere.close();
    back.close();
    const { presence } = await a.next('presence:changed', is(b, 'offline'));
    expect(presence.status).toBe('offline');
    a.clear();
    await connect(one, b.account);
    await a.next('presence:changed', is(b, 'online'));
  });

  it('shows each change, whichever node it comes from', async () => {
    const [a, b] = await contacts();
    const elsewhere = await connect(one, b.account);
    const shown = async () => (await a.ok('presence:get', { user_ids: [b.id] })).presences[0]?.status;
    const after = [];
    for (const [device, status] of [
      [elsewhere, 'away'],
      [b, 'away'],
      [elsewhere, 'online'],
      [b, 'busy'],
      [elsewhere, 'offline'],
      [b, 'offline'],
      [elsewhere, 'busy'],
    ] as const) {
      await device.ok('presence:set', { status });
      after.push(await shown());
    }
    expect(after).toEqual(['online', 'away', 'online', 'busy', 'busy', 'offline', 'busy']);
  });

  it('a connection that moves to another node within the grace is not shown, and keeps what was chosen', async () => {
    const [a, b] = await contacts();
    await b.ok('presence:set', { status: 'offline' });
    await a.next('presence:changed', is(b, 'offline'));
    a.clear();
    b.close();
    const moved = await connect(one, b.account);
    await new Promise((resolve) => setTimeout(resolve, GRACE_MS - 300));
    moved.close();
    const back = await connect(two, b.account);
    await new Promise((resolve) => setTimeout(resolve, 2 * GRACE_MS));
    expect(a.seen('presence:changed')).toEqual([]);
    await back.ok('presence:set', { status: 'online' });
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    back.close();
    await new Promise((resolve) => setTimeout(resolve, GRACE_MS - 500));
    const last = await connect(one, b.account);
    await new Promise((resolve) => setTimeout(resolve, 300));
    last.close();
    // The node that was left first must not take for gone whom another one has seen since.
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(a.seen('presence:changed')).toEqual([]);
    await a.next('presence:changed', is(b, 'offline'));
  });

  it('a node that was paused for longer than others wait is as before when it comes back', async () => {
    const [a, b] = await contacts();
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    cluster.nodes[1]!.signal('SIGSTOP');
    await a.next('presence:changed', is(b, 'offline'), OFFLINE_MS);
    a.clear();
    cluster.nodes[1]!.signal('SIGCONT');
    await a.next('presence:changed', is(b, 'online'), 10_000);
  }, 60_000);

  it('takes the users of a killed node offline', async () => {
    const [a, b] = await contacts();
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    await cluster.nodes[1]!.kill();
    await a.next('presence:changed', is(b, 'offline'), OFFLINE_MS);
  }, 60_000);
});

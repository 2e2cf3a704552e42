/** Two nodes over one database: the living one makes up for what a dead one, or a lost word, left in calls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  act,
  addUser,
  type CallNodes,
  GRACE_MS,
  initiate,
  RING_MS,
  startCallNodes,
  statusOf,
  storedCall,
} from './in-process.ts';

let nodes: CallNodes;
beforeAll(async () => {
  nodes = await startCallNodes(2);
});
afterAll(() => nodes.stop());

/** A call between users whose devices are on different nodes. */
async function callAcross({ answered }: { answered: boolean }) {
  const [[a], [, b]] = [await addUser(nodes), await addUser(nodes)];
  const { _id } = await initiate(a, { recipient_id: b!.id });
  if (answered) await act(b!, 'accept', _id);
  return { a, b: b!, id: _id };
}

/** Waits until the grace period of a call's only lost seat has begun. */
async function graceBegun(id: string): Promise<void> {
  const lost = async () => (await storedCall(nodes, id)).seats.filter((seat) => seat.lost_until).length;
  await expect.poll(lost, { timeout: 30_000 }).toBe(1);
}

describe('when a node dies', () => {
  it('its participants get their grace period, then the call ends', async () => {
    const { id } = await callAcross({ answered: true });
    nodes.dead.add('node-1');
    await graceBegun(id);
    nodes.dead.delete('node-1');
    expect(await statusOf(nodes, id)).toBe('ongoing');
    nodes.pass(GRACE_MS);
    await expect.poll(() => statusOf(nodes, id)).toBe('ended');
    await expect.poll(() => [...nodes.told.get(id)!]).toContain('ended');
  });

  it('its caller’s call rings no longer than the grace period', async () => {
    const { id } = await callAcross({ answered: false });
    nodes.dead.add('node-1');
    await graceBegun(id);
    nodes.dead.delete('node-1');
    nodes.pass(GRACE_MS);
    await expect.poll(() => statusOf(nodes, id)).toBe('missed');
  });
});

describe('when the loss of a connection was not recorded', () => {
  it('the comparison of seats with sockets finds it', async () => {
    const { b, id } = await callAcross({ answered: true });
    nodes.gone.add(b.socketId);
    await graceBegun(id);
    nodes.pass(GRACE_MS);
    await expect.poll(() => statusOf(nodes, id)).toBe('ended');
  });

  it('a device that was gone before its command was carried out holds no call', async () => {
    const [[a], [b]] = [await addUser(nodes), await addUser(nodes)];
    nodes.gone.add(a.socketId);
    const { _id } = await initiate(a, { recipient_id: b.id });
    await graceBegun(_id);
    nodes.pass(GRACE_MS);
    await expect.poll(() => statusOf(nodes, _id)).toBe('missed');
    const { started_at, ended_at } = await storedCall(nodes, _id);
    expect(+ended_at! - +started_at).toBeLessThan(RING_MS);
  });
});

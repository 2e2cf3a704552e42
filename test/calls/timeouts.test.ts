/** Ring timeouts and grace periods to the millisecond, on a clock that the test moves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  act,
  addGroup,
  addUser,
  type CallNodes,
  GRACE_MS,
  initiate,
  lose,
  outcome,
  RING_MS,
  reasons,
  startCallNodes,
  statusOf,
  storedCall,
  type TestDevice,
} from './in-process.ts';

let nodes: CallNodes;
beforeAll(async () => {
  nodes = await startCallNodes(2);
});
afterAll(() => nodes.stop());

/** One device each of several users. */
async function people(count: number): Promise<TestDevice[]> {
  const users = await Promise.all(Array.from({ length: count }, () => addUser(nodes)));
  return users.map(([device]) => device);
}

async function talking(caller: TestDevice, callee: TestDevice): Promise<string> {
  const { _id } = await initiate(caller, { recipient_id: callee.id });
  await act(callee, 'accept', _id);
  return _id;
}

describe('the ring timeout', () => {
  it('counts from the start of the call, before any sweeper comes by', async () => {
    const [a, b, c] = (await people(3)) as [TestDevice, TestDevice, TestDevice];
    const missed = await initiate(a, { recipient_id: b.id });
    nodes.pass(RING_MS - 1);
    expect((await act(b, 'ringing', missed._id)).status).toBe('ringing');
    nodes.pass(1);
    expect(await outcome(act(b, 'accept', missed._id))).toBe('conflict');
    const { status, started_at, ended_at } = await storedCall(nodes, missed._id);
    expect([status, +ended_at! - +started_at]).toEqual(['missed', RING_MS]);
    await expect.poll(() => [reasons(a), reasons(b)]).toEqual([['ringing', 'missed'], ['missed']]);
    // An overdue call keeps nobody busy.
    const overdue = await initiate(a, { recipient_id: c.id });
    nodes.pass(RING_MS);
    const next = await initiate(b, { recipient_id: a.id });
    expect(await statusOf(nodes, overdue._id)).toBe('missed');
    await act(b, 'leave', next._id);
  });

  it('ends a group’s call that nobody has answered, for those who rejected it too', async () => {
    const [a, b, c] = (await people(3)) as [TestDevice, TestDevice, TestDevice];
    const call = await initiate(a, { group_id: await addGroup(nodes, [a, b, c]) });
    await act(c, 'reject', call._id);
    nodes.pass(RING_MS);
    await expect.poll(() => statusOf(nodes, call._id)).toBe('missed');
    for (const { updates } of [a, b, c]) {
      await expect.poll(() => updates.at(-1)).toMatchObject({ reason: 'missed', status: 'missed' });
    }
  });

  it('stops an ongoing group’s call from ringing for each member who has not answered', async () => {
    const [a, b, c, d] = (await people(4)) as [TestDevice, TestDevice, TestDevice, TestDevice];
    const call = await initiate(a, { group_id: await addGroup(nodes, [a, b, c, d]) });
    await act(b, 'accept', call._id);
    nodes.pass(RING_MS);
    const misses = [c, d].map(({ id }) => ({ reason: 'missed', user_id: id, status: 'ongoing' }));
    for (const { updates } of [a, b, c, d]) {
      await expect.poll(() => updates.filter(({ reason }) => reason === 'missed')).toEqual(misses);
    }
    expect((await storedCall(nodes, call._id)).ringing_ids).toEqual([]);
    const joined = await act(d, 'join', call._id);
    expect(joined.status).toBe('ongoing');
    expect(reasons(a)).toEqual(['accepted', 'missed', 'missed', 'joined']);
    for (const device of [a, b, d]) await act(device, 'leave', call._id);
  });

  it('ends the second call of a callee who has answered the first', async () => {
    const [a, b, c] = (await people(3)) as [TestDevice, TestDevice, TestDevice];
    const first = await initiate(a, { recipient_id: b.id });
    const second = await initiate(c, { recipient_id: b.id });
    await act(b, 'accept', first._id);
    expect(await outcome(act(b, 'accept', second._id))).toBe('busy');
    nodes.pass(RING_MS);
    await expect.poll(() => statusOf(nodes, second._id)).toBe('missed');
    await expect.poll(() => reasons(c)).toEqual(['missed']);
    expect(await statusOf(nodes, first._id)).toBe('ongoing');
    await act(a, 'leave', first._id);
  });
});

describe('the grace period', () => {
  it('ends a pair’s call when it is over, and not before', async () => {
    const [a, b] = (await people(2)) as [TestDevice, TestDevice];
    const id = await talking(a, b);
    await lose(nodes, b);
    nodes.pass(GRACE_MS - 1);
    expect((await act(a, 'join', id)).status).toBe('ongoing');
    nodes.pass(1);
    await expect.poll(() => statusOf(nodes, id)).toBe('ended');
    await expect.poll(() => reasons(a)).toEqual(['accepted', 'ended']);
  });

  it('leaves a ringing call alone when its caller comes back in time', async () => {
    const [[a, back], [b]] = [await addUser(nodes), await addUser(nodes)];
    const call = await initiate(a, { recipient_id: b.id });
    await lose(nodes, a);
    expect((await act(back!, 'join', call._id)).status).toBe('initiated');
    expect((await act(b, 'accept', call._id)).status).toBe('ongoing');
    nodes.pass(2 * GRACE_MS);
    // Every command applies the time that has passed first.
    expect((await act(back!, 'join', call._id)).status).toBe('ongoing');
    expect(reasons(back!)).toEqual(['initiated', 'accepted']);
    await act(back!, 'leave', call._id);
  });

  it('leaves an ongoing call alone when a participant comes back in time', async () => {
    const [[a], [b, back]] = [await addUser(nodes), await addUser(nodes)];
    const id = await talking(a, b);
    await lose(nodes, b);
    nodes.pass(GRACE_MS - 1);
    await act(back!, 'join', id);
    nodes.pass(2 * GRACE_MS);
    expect((await act(back!, 'join', id)).status).toBe('ongoing');
    expect(reasons(a)).toEqual(['accepted', 'moved']);
    await act(a, 'leave', id);
  });

  it('does not begin when a device is lost that no longer has the call', async () => {
    const [[a], [b, taker], [c], [d]] = [
      await addUser(nodes),
      await addUser(nodes),
      await addUser(nodes),
      await addUser(nodes),
    ];
    const id = await talking(a, b);
    await talking(c, d);
    await act(taker!, 'join', id);
    const { version } = await storedCall(nodes, id);
    b.node.disconnected(b.id, b.socketId);
    // When this later loss is recorded, the earlier one has been looked at.
    await lose(nodes, d);
    nodes.pass(2 * GRACE_MS);
    expect((await act(taker!, 'join', id)).status).toBe('ongoing');
    expect((await storedCall(nodes, id)).version).toBe(version);
    expect(reasons(a)).toEqual(['accepted', 'moved']);
    await act(a, 'leave', id);
  });
});

describe('the duration', () => {
  it('counts whole seconds from the answer, rounded down', async () => {
    const [a, b] = (await people(2)) as [TestDevice, TestDevice];
    const { _id } = await initiate(a, { recipient_id: b.id });
    nodes.pass(600);
    await act(b, 'accept', _id);
    nodes.pass(1600);
    expect(await act(a, 'leave', _id)).toMatchObject({ status: 'ended', duration: 1 });
  });
});

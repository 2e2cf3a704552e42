/** Calls between devices on three server processes over one database and one Redis. One of them is killed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, registerMany } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { incoming, PATIENT, signalled, talking, updated } from './scene.ts';

let cluster: Cluster<ServerProcess>;
beforeAll(async () => {
  cluster = await startCluster(3, { ...PATIENT, CALL_RECONNECT_GRACE_MS: '500' }, startServerProcess);
}, 90_000);
afterAll(() => cluster?.stop());

describe('across three nodes', () => {
  it('a call rings, is answered once, signals, moves and ends', async () => {
    const [one, two, three] = cluster.urls as [string, string, string];
    const [a, b] = await registerMany(one, 2);
    const [atOne, atTwo, atThree] = await Promise.all([connect(one, a!), connect(two, b!), connect(three, b!)]);
    const { call } = await atOne.ok('call:initiate', { recipient_id: b!.id, call_type: 'video' });
    const call_id = call._id;
    await Promise.all([atTwo, atThree].map(incoming));
    const answers = await Promise.all([atTwo, atThree].map((device) => device.raw('call:accept', { call_id })));
    expect(answers.map((answer) => answer.ok).sort()).toEqual([false, true]);
    expect(answers.find((answer) => !answer.ok)!.error!.code).toBe('conflict');
    await updated(atOne, 'accepted', b!.id);
    const [winner, loser] = answers[0]!.ok ? [atTwo, atThree] : [atThree, atTwo];
    await updated(loser, 'answered_elsewhere', b!.id);
    await atOne.ok('call:signal', { call_id, to_user_id: b!.id, signal: { n: 1 } });
    expect((await signalled(winner)).signal).toEqual({ n: 1 });
    await loser.ok('call:join', { call_id });
    await Promise.all([atOne, winner].map((device) => updated(device, 'moved', b!.id)));
    await atOne.ok('call:signal', { call_id, to_user_id: b!.id, signal: { n: 2 } });
    expect((await signalled(loser)).signal).toEqual({ n: 2 });
    await atOne.ok('call:end', { call_id });
    await Promise.all([winner, loser].map((device) => updated(device, 'ended', a!.id)));
  });

  it('the living nodes end the calls of a killed one', async () => {
    const [one, , three] = cluster.urls as [string, string, string];
    const [a, b, c, d] = await registerMany(one, 4);
    const [atOne, onThree, calling, rung] = await Promise.all([
      connect(one, a!),
      connect(three, b!),
      connect(three, c!),
      connect(one, d!),
    ]);
    const ongoing = await talking(atOne, onThree);
    const { call: ringing } = await calling.ok('call:initiate', { recipient_id: d!.id, call_type: 'voice' });
    await incoming(rung);
    await cluster.nodes[2]!.kill();
    const ended = await updated(atOne, 'ended');
    expect(ended).toMatchObject({ user_id: b!.id, call: { _id: ongoing._id, status: 'ended' } });
    const cancelled = await updated(rung, 'cancelled');
    expect(cancelled.call).toMatchObject({ _id: ringing._id, status: 'missed' });
    expect(rung.seen('call:updated', (event) => event.call.status === 'missed')).toHaveLength(1);
  });
});

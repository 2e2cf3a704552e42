/** Once a block or a removal from the group is acknowledged, nothing of the call passes any more (protocol, section 8). */
import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../server/bus/bus.ts';
import { createSignalRelay } from '../../server/calls/signal.ts';
import type { DeviceCaller } from '../../server/dispatch/caller.ts';
import { type Device, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { another, groupOf, PATIENT, people, talking } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: PATIENT });
});
afterAll(() => server?.stop());

/** Sends signals one after the other until one is refused; resolves with its code. */
async function flood(from: Device, to: Device, call_id: string): Promise<string> {
  for (;;) {
    const signals = Array.from({ length: 10 }, (_, n) =>
      from.raw('call:signal', { call_id, to_user_id: to.id, signal: { n } }),
    );
    const refused = (await Promise.all(signals)).find((answer) => !answer.ok);
    if (refused) return refused.error!.code;
  }
}

/** How many signals a device has had when a command of its own is acknowledged, and when all is quiet. */
async function signalsAround(device: Device, command: Promise<unknown>): Promise<[number, number]> {
  await command;
  const atOnce = device.seen('call:signal').length;
  await settle(device);
  return [atOnce, device.seen('call:signal').length];
}

describe('once a block is acknowledged', () => {
  it('the pair’s call is over and no signal passes any more', async () => {
    const [a, b] = (await people(server.url, 2)) as [Device, Device];
    for (let round = 0; round < 5; round++) {
      const { _id } = await talking(a, b);
      const flooding = flood(a, b, _id);
      await b.next('call:signal', ({ call_id }) => call_id === _id);
      const blocked = b.ok('contact:block', { user_id: a.id });
      const late = blocked.then(() => a.raw('call:signal', { call_id: _id, to_user_id: b.id, signal: {} }));
      const [atOnce, afterwards] = await signalsAround(b, blocked);
      expect(afterwards).toBe(atOnce);
      expect((await late).error?.code).toBe('conflict');
      expect(await flooding).toBe('conflict');
      await b.ok('contact:unblock', { user_id: a.id });
    }
  });

  it('no call rings any more that was begun meanwhile', async () => {
    const [a, b] = (await people(server.url, 2)) as [Device, Device];
    for (let round = 0; round < 10; round++) {
      const calling = a.raw('call:initiate', { recipient_id: b.id, call_type: 'voice' });
      await b.ok('contact:block', { user_id: a.id });
      const rung = b.seen('call:incoming').length;
      await calling;
      await settle(b);
      expect(b.seen('call:incoming')).toHaveLength(rung);
      expect((await b.ok('sync', {})).calls).toEqual([]);
      await b.ok('contact:unblock', { user_id: a.id });
    }
  });
});

describe('once a removal from the group is acknowledged', () => {
  it('no signal of the removed member passes any more, or to them', async () => {
    const [a, b, c] = (await people(server.url, 3)) as [Device, Device, Device];
    const admin = await another(server.url, a);
    const group_id = await groupOf([a, b, c]);
    const { call } = await a.ok('call:initiate', { group_id, call_type: 'voice' });
    for (let round = 0; round < 5; round++) {
      await b.ok('call:join', { call_id: call._id });
      const flooding = Promise.all([flood(b, a, call._id), flood(a, b, call._id)]);
      const seen = a.seen('call:signal').length;
      await expect.poll(() => a.seen('call:signal').length).toBeGreaterThan(seen);
      const removed = admin.ok('group:remove_member', { group_id, user_id: b.id });
      const late = removed.then(() =>
        Promise.all([
          b.raw('call:signal', { call_id: call._id, to_user_id: a.id, signal: {} }),
          a.raw('call:signal', { call_id: call._id, to_user_id: b.id, signal: {} }),
        ]),
      );
      expect((await late).map((answer) => answer.error?.code)).toEqual(['not_found', 'not_found']);
      expect(await flooding).toEqual(['not_found', 'not_found']);
      await a.ok('group:add_members', { group_id, user_ids: [b.id] });
    }
  });
});

it('signals that are still on their way are waited for', async () => {
  const caller: DeviceCaller = {
    userId: new ObjectId(),
    id: 'a',
    sessionId: '',
    socketId: randomBytes(8).toString('hex'),
    inTurn: async (prepare, act) => act(await prepare),
  };
  const seats = [
    { user_id: 'a', socket_id: caller.socketId, node_id: 'n' },
    { user_id: 'b', socket_id: 'other', node_id: 'n' },
  ];
  const passed: string[] = [];
  let answer = () => {};
  const lookUp = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const relay = createSignalRelay({
    store: { findSeats: () => lookUp.then(() => ({ status: 'ongoing' as const, seats })) },
    callAccess: { reach: () => Promise.reject(new Error('not asked')) },
    bus: { emit: () => void passed.push('signal') } as Pick<Bus, 'emit'> as Bus,
  });
  const signal = relay.pass(caller, { call_id: 'one', to_user_id: 'b', signal: {} });
  const settled = relay.settled('one').then(() => passed.push('settled'));
  await relay.settled('another call');
  expect(passed).toEqual([]);
  answer();
  await Promise.all([signal, settled]);
  expect(passed).toEqual(['signal', 'settled']);
});

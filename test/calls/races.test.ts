/** Two nodes over one database: whatever races, exactly one wins, and what is told ends in what is stored. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pairId } from '../../server/model/conversation-ref.ts';
import {
  act,
  addUser,
  type CallNodes,
  GRACE_MS,
  initiate,
  outcome,
  RING_MS,
  type Step,
  startCallNodes,
  statusOf,
  type TestDevice,
} from './in-process.ts';

let nodes: CallNodes;
beforeAll(async () => {
  nodes = await startCallNodes(2);
});
afterAll(() => nodes.stop());

/** A user with a device on each node. */
const user = async () => (await addUser(nodes)) as [TestDevice, TestDevice];
const call = (device: TestDevice, callee: TestDevice) => initiate(device, { recipient_id: callee.id });

describe('of what races on two nodes', () => {
  it('one device accepts, the other gets conflict', async () => {
    const [[a], b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const { _id } = await call(a, b[0]);
      const outcomes = await Promise.all(b.map((device) => outcome(act(device, 'accept', _id))));
      expect(outcomes.sort()).toEqual(['conflict', 'ok']);
      await act(a, 'leave', _id);
    }
  });

  it('accepting, rejecting or giving up decides', async () => {
    const [a, b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const { _id } = await call(a[0], b[0]);
      const steps = [
        outcome(act(b[0], 'accept', _id)),
        outcome(act(b[1], 'reject', _id)),
        outcome(act(a[0], 'leave', _id)),
      ];
      const [accepted, rejected] = await Promise.all(steps);
      const status = await statusOf(nodes, _id);
      if (status === 'rejected') expect([accepted, rejected]).toEqual(['conflict', 'ok']);
      else if (status === 'missed') expect([accepted, rejected]).toEqual(['conflict', 'conflict']);
      else expect([accepted, rejected, status]).toEqual(['ok', 'conflict', 'ended']);
      expect([...nodes.told.get(_id)!]).toContain(status);
    }
  });

  it('hanging up on another device rejects a call that still rings, and never ends one that is answered', async () => {
    const [[a], b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const { _id } = await call(a, b[0]);
      const [accepted, left] = await Promise.all([outcome(act(b[0], 'accept', _id)), outcome(act(b[1], 'leave', _id))]);
      expect([accepted, left, await statusOf(nodes, _id)]).toBeOneOf([
        ['ok', 'ok', 'ongoing'],
        ['conflict', 'ok', 'rejected'],
      ]);
      await act(a, 'leave', _id);
    }
  });

  it('one of two calls gets the user who accepts both at once', async () => {
    const [[a], [b], c] = [await user(), await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const both = await Promise.all([call(a, c[0]), call(b, c[0])]);
      const outcomes = await Promise.all(both.map(({ _id }, i) => outcome(act(c[i]!, 'accept', _id))));
      expect(outcomes.sort()).toEqual(['busy', 'ok']);
      await Promise.all([act(a, 'leave', both[0]._id), act(b, 'leave', both[1]._id)]);
    }
  });

  it('one of two calls wins under glare; the other caller is told of it', async () => {
    const [a, b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.all([outcome(call(a[0], b[1])), outcome(call(b[1], a[0]))]);
      expect(outcomes.sort()).toEqual(['conflict', 'ok']);
      const open = await nodes.collections.calls.findOne({ is_open: true, conversation_id: pairId(a[0].id, b[0].id) });
      await act(open!.caller_id.equals(a[0].userId) ? a[0] : b[1], 'leave', open!._id.toHexString());
    }
  });
});

describe('under random commands at once', () => {
  const happening = fc.record({
    who: fc.record({ user: fc.nat(2), node: fc.nat(1) }),
    what: fc.constantFrom<('initiate' | 'disconnect' | 'pass' | Step)[]>(
      ...(['initiate', 'initiate', 'ringing', 'accept', 'accept', 'reject', 'join', 'leave'] as const),
      ...(['disconnect', 'pass'] as const),
    ),
    other: fc.nat(2),
    which: fc.nat(3),
  });

  /** Looks at the calls of some users; remembers final states. */
  function watch(users: [TestDevice, TestDevice][]) {
    const ids = users.map(([first]) => first.userId);
    const finals = new Map<string, string>();
    return async function check() {
      const found = await nodes.collections.calls
        .find({ party_ids: { $in: ids } })
        .sort({ started_at: 1, _id: 1 })
        .toArray();
      const seated = found.flatMap((each) => each.seats.map((seat) => seat.user_id.toHexString()));
      expect(new Set(seated).size).toBe(seated.length);
      for (const { _id, status, is_open } of found) {
        const id = _id.toHexString();
        const before = finals.get(id);
        if (before) expect(status).toBe(before);
        if (!is_open) finals.set(id, status);
        expect(is_open === true).toBe(['initiated', 'ringing', 'ongoing'].includes(status));
        await expect.poll(() => [...(nodes.told.get(id) ?? [])]).toContain(status);
      }
      return found;
    };
  }

  it('nobody is in two calls, final states stay, and every call comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(happening, { minLength: 1, maxLength: 5 }), { maxLength: 10 }),
        async (batches) => {
          const users = await Promise.all([user(), user(), user()]);
          const check = watch(users);
          for (const batch of batches) {
            const known = await check();
            await Promise.all(
              batch.map(({ who, what, other, which }) => {
                const actor = users[who.user]![who.node]!;
                if (what === 'initiate') return outcome(call(actor, users[other]![0]));
                if (what === 'disconnect') return actor.node.disconnected(actor.id, actor.socketId);
                if (what === 'pass') return nodes.pass(GRACE_MS);
                const target = known.at(-1 - which);
                return target && outcome(act(actor, what, target._id.toHexString()));
              }),
            );
          }
          for (const actor of users.flat()) actor.node.disconnected(actor.id, actor.socketId);
          await expect
            .poll(
              async () => {
                nodes.pass(RING_MS);
                return (await check()).filter((each) => each.is_open);
              },
              { timeout: 30_000, interval: 250 },
            )
            .toEqual([]);
        },
      ),
      { numRuns: 10 },
    );
  }, 120_000);
});

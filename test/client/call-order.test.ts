import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Call } from '../../shared/client/contract.ts';
import { isOver } from '../../shared/client/store/calls.ts';
import { reduce } from '../../shared/client/store/reduce.ts';
import { EMPTY, type State } from '../../shared/client/store/state.ts';

const at = (n: number) => new Date(n * 1000).toISOString();

/** A call's life as the server stores it, step by step. */
function lifeOf(id: string, steps: string[], end: Call['status'] | undefined): Call[] {
  let call: Call = {
    _id: id,
    caller_id: 'ann',
    group_id: 'group',
    call_type: 'voice',
    status: 'initiated',
    started_at: at(0),
    duration: 0,
    metadata: {},
    participants: [{ user_id: 'ann', joined_at: at(0) }],
  };
  const life = [call];
  function become(change: Partial<Call>): void {
    call = { ...call, ...change };
    life.push(call);
  }
  steps.forEach((user, i) => {
    if (call.status === 'initiated' && i % 2 === 0) become({ status: 'ringing' });
    const isIn = call.participants.some((stay) => stay.user_id === user && !stay.left_at);
    const participants = isIn
      ? call.participants.map((stay) => (stay.user_id === user ? { left_at: at(i), ...stay } : stay))
      : [...call.participants, { user_id: user, joined_at: at(i) }];
    become({ status: 'ongoing', participants });
  });
  if (end) become({ status: end, ended_at: at(99) });
  return life;
}

const live = ({ calls }: State) => [...calls.values()].filter((call) => !isOver(call));
const told = (state: State, call: Call) =>
  reduce(state, { event: 'call:updated', payload: { call, reason: 'joined' } } as never);
const listing = (state: State, calls: Call[]) => {
  const page = { conversations: [], gone: [], calls, has_more: false, server_time: at(100) };
  return reduce(state, { page, named: {}, newest: 0, isFirst: true } as never);
};

it('reports of a call may come in any order, and twice: what is known is what it has become', () => {
  const life = fc.record({
    steps: fc.array(fc.constantFrom('ann', 'ben', 'cem'), { maxLength: 8 }),
    end: fc.constantFrom<Call['status'] | undefined>('ended', 'missed', 'rejected', undefined),
  });
  const order = fc.infiniteStream(fc.nat());
  fc.assert(
    fc.property(life, order, ({ steps, end }, picks) => {
      const reports = lifeOf('call', steps, end);
      const late = [...reports, ...reports];
      let state = EMPTY;
      while (late.length > 0) state = told(state, late.splice(picks.next().value! % late.length, 1)[0]!);
      expect(live(state)).toEqual(end ? [] : [reports.at(-1)]);
      // The list of a `sync` was made before.
      expect(live(listing(state, [reports[0]!]))).toEqual(end ? [] : [reports.at(-1)]);
      // The call ended while nobody listened.
      expect(live(listing(state, []))).toEqual([]);
    }),
  );
});

it('the calls that are over are remembered for a while only', () => {
  let state = EMPTY;
  for (let i = 0; i < 1000; i++) for (const call of lifeOf(`call ${i}`, ['ben'], 'ended')) state = told(state, call);
  expect(live(state)).toEqual([]);
  expect(state.calls.size).toBeLessThan(100);
});

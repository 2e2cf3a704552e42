import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLanes } from '../../server/lib/lanes.ts';

/** Batches that end when they are told to, and a note of what began, in its order. */
function scene(most = 3, isAlike?: (one: string, other: string) => boolean) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const hold = () => new Promise<void>((resolve) => void ends.push(resolve));
  const lanes = createLanes(
    'test',
    async (batch: string[]) => {
      begun.push(batch.join('+'));
      await hold();
    },
    most,
    isAlike,
  );
  return { lanes, begun, end: () => ends.shift()?.() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a lane', () => {
  it('takes along what joins an empty lane at once', async () => {
    const { lanes, begun } = scene();
    for (const task of ['a', 'b']) lanes.join('lane', task);
    await turn();
    expect(begun).toEqual(['a+b']);
  });

  it('gathers the next batch while one is under way, up to the limit', async () => {
    const { lanes, begun, end } = scene();
    lanes.join('lane', 'a');
    await turn();
    for (const task of ['b', 'c', 'd', 'e']) lanes.join('lane', task);
    await turn();
    expect(begun).toEqual(['a']);
    end();
    await turn();
    expect(begun).toEqual(['a', 'b+c+d']);
    end();
    await turn();
    expect(begun).toEqual(['a', 'b+c+d', 'e']);
  });

  it('begins another batch where tasks do not belong together', async () => {
    const isCapital = (task: string) => task === task.toUpperCase();
    const { lanes, begun, end } = scene(3, (one, other) => isCapital(one) === isCapital(other));
    for (const task of ['a', 'b', 'C', 'd', 'e']) lanes.join('lane', task);
    for (let i = 0; i < 3; i++) {
      await turn();
      end();
    }
    expect(begun).toEqual(['a+b', 'C', 'd+e']);
  });

  it('does not wait for other lanes', async () => {
    const { lanes, begun } = scene();
    lanes.join('one', 'a');
    lanes.join('other', 'b');
    await turn();
    expect(begun).toEqual(['a', 'b']);
  });
});

it('lanes are idle when everything has ended, also what came while that was waited for', async () => {
  const { lanes, end } = scene();
  await lanes.idle();
  let isIdle = false;
  lanes.join('lane', 'a');
  const idle = lanes.idle().then(() => {
    isIdle = true;
  });
  await turn();
  lanes.join('lane', 'b');
  end();
  await turn();
  expect(isIdle).toBe(false);
  end();
  await idle;
});

it('whatever comes when: each lane keeps its order, one batch at a time, none above the limit', async () => {
  const step = fc.record({ lane: fc.constantFrom('x', 'y'), kind: fc.constantFrom('a', 'b') });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.scheduler(), async (steps, scheduler) => {
      const done: Record<string, number[]> = { x: [], y: [] };
      const busy = new Set<string>();
      const carryOut = async (lane: string, tasks: number[]) => {
        expect(busy.has(lane)).toBe(false);
        busy.add(lane);
        await scheduler.schedule(Promise.resolve(), `${lane}: ${tasks}`);
        busy.delete(lane);
        done[lane]!.push(...tasks);
      };
      const lanes = createLanes(
        'test',
        async (batch: { lane: string; kind: string; task: number }[]) => {
          expect(batch.length).toBeLessThanOrEqual(3);
          expect(new Set(batch.map(({ kind }) => kind)).size).toBe(1);
          await carryOut(
            batch[0]!.lane,
            batch.map(({ task }) => task),
          );
        },
        3,
        (one, other) => one.kind === other.kind,
      );
      const arrivals = (async () => {
        for (const [task, { lane, kind }] of steps.entries()) {
          await scheduler.schedule(Promise.resolve(), `arrival of ${task}`);
          lanes.join(lane, { lane, kind, task });
        }
      })();
      await scheduler.waitFor(arrivals.then(() => lanes.idle()));
      for (const lane of ['x', 'y']) {
        expect(done[lane]).toEqual(steps.flatMap((one, task) => (one.lane === lane ? [task] : [])));
      }
    }),
  );
});

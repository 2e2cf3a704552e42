import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIXES } from './mixes.ts';
import { arrivals, dealRooms, drawBy, seededRandom } from './schedule.ts';

describe('the schedule', () => {
  it('plans as many actions as the rate says, at random times, the same for the same seed', () => {
    const planned = [...arrivals(50, 100, seededRandom(7))];
    expect(planned).toEqual([...arrivals(50, 100, seededRandom(7))]);
    expect(planned).not.toEqual([...arrivals(50, 100, seededRandom(8))]);
    expect(planned).toEqual(planned.toSorted((a, b) => a - b));
    expect(planned.at(-1)).toBeLessThan(100_000);
    // 5,000 expected; the deviation of a Poisson process is their root.
    expect(Math.abs(planned.length - 5000)).toBeLessThan(4 * Math.sqrt(5000));
    // Of exponential gaps, 1 - 1/e are below the mean.
    const gaps = planned.slice(1).map((at, i) => at - planned[i]!);
    expect(gaps.filter((gap) => gap < 20).length / gaps.length).toBeCloseTo(1 - 1 / Math.E, 1);
  });

  it('draws each action as often as its share says', () => {
    const draw = drawBy({ a: 70, b: 30, c: 0 }, seededRandom(1));
    const drawn = Array.from({ length: 10_000 }, draw);
    expect(drawn.filter((name) => name === 'a').length / 10_000).toBeCloseTo(0.7, 1);
    expect(drawn).not.toContain('c');
  });

  it('has mixes of a hundred parts', () => {
    for (const { shares } of Object.values(MIXES)) {
      expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBe(100);
    }
  });

  it('deals every user into one room, and rooms evenly over the processes', () => {
    const [users, size, processes] = [
      fc.integer({ min: 2, max: 500 }),
      fc.integer({ min: 2, max: 30 }),
      fc.integer({ min: 1, max: 9 }),
    ];
    fc.assert(
      fc.property(users, size, processes, (count, roomSize, most) => {
        const dealt = dealRooms(count, roomSize, most);
        expect(dealt.flat().reduce((sum, room) => sum + room, 0)).toBe(count);
        expect(dealt.length).toBe(Math.min(most, dealt.flat().length));
        const rooms = dealt.map((of) => of.length);
        expect(Math.max(...rooms) - Math.min(...rooms)).toBeLessThanOrEqual(1);
        for (const room of dealt.flat()) expect(room).toBeGreaterThanOrEqual(2);
        expect(Math.max(...dealt.flat()) - Math.min(...dealt.flat())).toBeLessThanOrEqual(1);
      }),
    );
    expect(dealRooms(6, 2, 2)).toEqual([[2, 2], [2]]);
    expect(dealRooms(41, 20, 4)).toEqual([[21], [20]]);
  });
});

import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followClock, goneOn, type TimeSample } from '../../server/model/clock.ts';
import { startDatabaseClock } from '../../server/model/database-clock.ts';
import { startEmbeddedDatabase } from '../support/database.ts';
import { startWireProxy } from '../support/wire-proxy.ts';

/** A database whose clock is ahead of the monotonic one, and what it says when it is asked. */
function askAt(askedAt: number, ahead: number, way: { there: number; back: number }): TimeSample {
  return { askedAt, time: Math.floor(askedAt + way.there + ahead), answeredAt: askedAt + way.there + way.back };
}
const way = fc.record({
  there: fc.double({ min: 0, max: 500, noNaN: true }),
  back: fc.double({ min: 0, max: 500, noNaN: true }),
});

describe('a followed clock', () => {
  it('is no further from the database’s than the quickest answer was under way', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e12, noNaN: true }), fc.array(way, { minLength: 1 }), (ahead, ways) => {
        const samples = ways.map((each, i) => askAt(i * 2000, ahead, each));
        const clock = followClock(samples[0]!);
        let quickest = Number.POSITIVE_INFINITY;
        for (const sample of samples) {
          clock.learn(sample);
          quickest = Math.min(quickest, sample.answeredAt - sample.askedAt);
          // What is ahead is made up for slowly.
          const at = sample.answeredAt + 1e6;
          expect(Math.abs(clock.at(at).getTime() - (at + ahead))).toBeLessThanOrEqual(quickest + 2);
        }
      }),
    );
  });

  it('never goes back, whatever the database says', () => {
    const said = fc.record({ way, ahead: fc.double({ min: 0, max: 1e7, noNaN: true }), passed: fc.nat(100_000) });
    fc.assert(
      fc.property(fc.array(said, { minLength: 2 }), (all) => {
        let now = 0;
        let last = 0;
        const clock = followClock(askAt(now, all[0]!.ahead, all[0]!.way));
        for (const { way, ahead, passed } of all) {
          now += passed;
          const sample = askAt(now, ahead, way);
          for (const look of [false, true]) {
            if (look) clock.learn(sample);
            now = sample.answeredAt;
            const time = clock.at(now).getTime();
            expect(time).toBeGreaterThanOrEqual(last);
            last = time;
          }
        }
      }),
    );
  });

  it('follows a step forwards at once, and one backwards by going slower', () => {
    const instant = { there: 0, back: 0 };
    const clock = followClock(askAt(0, 1000, instant));
    clock.learn(askAt(1000, 61_000, instant));
    expect(clock.at(1000).getTime()).toBeCloseTo(62_000, -1);
    clock.learn(askAt(2000, 60_000, instant));
    expect(clock.at(2000).getTime()).toBeCloseTo(63_000, -1);
    // A second behind takes twenty.
    expect(clock.at(12_000).getTime()).toBeCloseTo(72_500, -1);
    expect(clock.at(22_000).getTime()).toBeCloseTo(82_000, -1);
    expect(clock.at(32_000).getTime()).toBeCloseTo(92_000, -1);
  });
});

describe('a clock that was read earlier', () => {
  it('has gone on, and slower while it was ahead', () => {
    expect(goneOn({ given: 1000, said: 1000 }, 5000, 10_000)).toBeLessThan(5000);
    const clock = followClock(askAt(0, 0, { there: 0, back: 0 }), 60_000);
    const later = goneOn(clock.reading(0), clock.reading(100_000).said, 10_000);
    expect(later).toBeCloseTo(clock.at(100_000).getTime(), -1);
  });

  it('is not behind what was given since, where the database’s has been set back', () => {
    expect(goneOn({ given: 90_000, said: 90_000 }, 30_000, 10_000)).toBe(100_000);
  });

  it('has not been set back where two nodes only differ about what time it is', () => {
    expect(goneOn({ given: 90_000, said: 90_000 }, 89_900, 10_000)).toBe(90_000);
  });
});

const HOUR_MS = 3_600_000;

describe('the database’s clock', () => {
  const log = pino({ level: 'silent' });

  /** What nodes see of one database whose clock is set differently each time. */
  async function startDatabase() {
    const embedded = await startEmbeddedDatabase();
    onTestFinished(() => embedded.stop());
    return async (aheadMs: number) => {
      const proxy = await startWireProxy(embedded.url, { isReplicaSet: false, aheadMs });
      const client = await MongoClient.connect(proxy.url);
      const clock = await startDatabaseClock(client.db(), log);
      const close = async () => {
        await clock.close();
        await client.close();
        await proxy.close();
      };
      return { ahead: () => clock.now().getTime() - Date.now(), now: clock.now, close };
    };
  }

  it('is what nodes go by, whatever their own', async () => {
    const start = await startDatabase();
    const node = await start(HOUR_MS);
    expect(node.ahead()).toBeGreaterThan(HOUR_MS - 60_000);
    await node.close();
  });

  it('is not taken for set back where another node has just noted a little more', async () => {
    const start = await startDatabase();
    const before = await start(900);
    await before.close();
    const after = await start(0);
    expect(after.ahead()).toBeLessThan(5000);
    await after.close();
  });

  it('does not go back for nodes that come later, either', async () => {
    const start = await startDatabase();
    const before = await start(HOUR_MS);
    await before.close();
    const last = before.now();
    const after = await start(0);
    expect(after.now().getTime()).toBeGreaterThan(last.getTime() - 1000);
    await after.close();
    const again = await start(0);
    expect(again.ahead()).toBeGreaterThan(HOUR_MS - 60_000);
    // And it is not driven ahead by that.
    expect(again.ahead()).toBeLessThan(HOUR_MS + 60_000);
    await again.close();
  });

  it('is believed again when it was ahead by so much that it must have been wrong', async () => {
    const start = await startDatabase();
    for (const [aheadMs, expected] of [
      [30 * 24 * HOUR_MS, 30 * 24 * HOUR_MS],
      [0, 0],
      [HOUR_MS, HOUR_MS],
      [0, HOUR_MS],
    ] as const) {
      const node = await start(aheadMs);
      expect(Math.abs(node.ahead() - expected)).toBeLessThan(60_000);
      await node.close();
    }
  });
});

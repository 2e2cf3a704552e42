import { expect, test } from 'vitest';
import { closedLoop, expectDelivered, sendingLoop } from './closed-loop.ts';
import type { Side } from './sides.ts';

/** A side that spends a millisecond of its own and three of its store in each reading. */
function idleSide(): Side {
  let readings = 0;
  const cpu = async () => {
    readings++;
    return { server: readings, store: readings * 3 };
  };
  return { cpu } as unknown as Side;
}
const OPTIONS = { seconds: 0.2, underWay: 2 };

test('keeps so much under way, counts what ends well and what does not, and waits for the last', async () => {
  let [underWay, most, begun] = [0, 0, 0];
  const result = await closedLoop(
    idleSide(),
    3,
    (_pair, ended) => {
      begun++;
      underWay++;
      most = Math.max(most, underWay);
      const isWell = begun % 4 !== 0;
      setTimeout(() => {
        underWay--;
        ended(isWell);
      }, 5);
    },
    OPTIONS,
  );
  expect(most).toBe(6);
  expect(underWay).toBe(0);
  expect(result.total + result.refused).toBe(begun);
  expect(result.refused).toBe(Math.floor(begun / 4));
  // 6 under way for some 5 ms each, three of four of them well: 900 a second at most.
  expect(result.perSecond).toBeGreaterThan(50);
  expect(result.perSecond).toBeLessThan(1000);
  expect(result.cpu.store).toBeCloseTo(result.cpu.server * 3);
});

test('a rate does not count when what was acknowledged did not arrive', async () => {
  let delivered = 0;
  const pairs = {
    count: 1,
    send(_pair: number, answered: (ok: boolean) => void) {
      delivered++;
      setTimeout(() => answered(true), 20);
    },
    received: () => delivered,
    close: () => {},
  };
  const result = await sendingLoop(idleSide(), pairs, OPTIONS);
  expect(result).toMatchObject({ total: delivered, refused: 0 });
  await expect(expectDelivered(pairs, delivered + 1, 50)).rejects.toThrow(`${delivered} delivered`);
});

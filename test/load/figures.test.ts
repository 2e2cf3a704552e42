import { describe, expect, it } from 'vitest';
import { createFigures } from './figures.ts';
import type { Second } from './process-messages.ts';
import { createRecorder } from './recorder.ts';

function second(sends: number[], over: Partial<Second> = {}): Second {
  return {
    latencies: { 'message:send': Uint32Array.from(sends), '→ message:new': Uint32Array.from(sends) },
    errors: {},
    notBegun: {},
    late: Uint32Array.of(),
    ...over,
  };
}

describe('the figures of all workers', () => {
  it('are percentiles of everything, not means of percentiles', () => {
    const figures = createFigures(2, 'message:send');
    figures.add(0, second(Array.from({ length: 99 }, () => 1000)));
    figures.add(0, second([500_000]));
    const row = figures.rows().find(({ what }) => what === 'message:send')!;
    expect(row.answered).toBe(100);
    expect(row.latency_ms.p50).toBeCloseTo(1, 2);
    expect(row.latency_ms.p99).toBeCloseTo(1, 2);
    expect(row.latency_ms.max / 500).toBeCloseTo(1, 2);
    expect(figures.lead()).toEqual(row.latency_ms);
    expect(figures.totals()).toEqual({ answered: 100, errors: {}, not_begun: {} });
  });

  it('put seconds together by their number, also when a worker tells later or less', () => {
    const figures = createFigures(2, 'message:send');
    figures.add(0, second([1000]));
    figures.add(1, second([2000, 2000]));
    figures.add(0, second([3000]));
    const rows = figures.seconds();
    expect(rows.map((row) => [row.second, row.answered])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(rows[0]!.latency_ms!.max).toBeCloseTo(3, 2);
    expect(rows[1]!.latency_ms!.p50).toBeCloseTo(2, 2);
  });

  it('count what was given up as an error and with its wait, and refusals by their code', () => {
    const recorder = createRecorder();
    const tenSecondsAgo = performance.now() - 10_000;
    recorder.failed('message:send', 'timeout', tenSecondsAgo);
    recorder.failed('message:send', 'unavailable', tenSecondsAgo);
    recorder.notBegun('message:send', 'in_flight');
    recorder.begun(tenSecondsAgo);
    const figures = createFigures(1, 'message:send');
    figures.add(0, recorder.take());
    figures.add(1, recorder.take());
    const row = figures.rows()[0]!;
    expect(row).toMatchObject({ answered: 0, errors: { timeout: 1, unavailable: 1 }, not_begun: { in_flight: 1 } });
    expect(row.latency_ms.p50).toBeGreaterThan(9_990);
    expect(figures.late().p50).toBeGreaterThan(9_990);
    expect(figures.totals()).toMatchObject({ answered: 0, errors: { timeout: 1, unavailable: 1 } });
    expect(figures.seconds()[0]).toMatchObject({ answered: 0, errors: 2, not_begun: 1 });
    expect(figures.seconds()[1]).toMatchObject({ answered: 0, errors: 0, latency_ms: null });
  });
});

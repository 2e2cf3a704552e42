import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';
import { linearTicks, lineChart, logarithmicTicks } from './charts.ts';
import { createFigures } from './figures.ts';
import { page } from './page.ts';
import { progressLine } from './progress.ts';
import { makeReport, remarks } from './report.ts';
import { summary } from './summary.ts';
import { addFinding, emptyVerdict, isClean, sumOf } from './verdict.ts';

function reportOf({ seconds = 3, errors = {} as Record<string, number>, verdict = emptyVerdict() } = {}) {
  const figures = createFigures(1, 'message:send');
  for (let index = 0; index < seconds; index++) {
    const latencies = { 'message:send': Uint32Array.of(1000, 2000 + index * 1000) };
    const late = Uint32Array.of(50);
    figures.add(index, { latencies, errors: { 'message:send': errors }, notBegun: {}, late });
  }
  const options = parseArguments(['--url', 'http://127.0.0.1:1', '--server-key', 'lsk_secret', '--seed', '5']);
  const times = { prepared: 1, loaded: seconds, checked: 1 };
  return makeReport({
    options,
    startedAt: new Date(0),
    endedEarly: false,
    seconds: times,
    verdict,
    figures,
    cpuMs: 6,
  });
}

describe('the report', () => {
  it('has what was measured, and never the server key', () => {
    const report = reportOf();
    expect(report.totals).toEqual({ answered: 6, answered_per_second: 2, errors: {}, not_begun: {} });
    expect(report.tool.cpu_ms_per_answer).toBe(1);
    expect(report.timeline.seconds).toHaveLength(3);
    expect(remarks(report)).toEqual([]);
    for (const text of [JSON.stringify(report), page(report), summary(report)]) expect(text).not.toContain('secret');
  });

  it('says what the operator has to know', () => {
    const report = reportOf({ errors: { rate_limited: 2 }, verdict: { ...emptyVerdict(), unchecked: 3 } });
    expect(remarks({ ...report, ended_early: true })).toEqual([
      expect.stringContaining('stopped before'),
      expect.stringContaining('RATE_LIMITS=off'),
      expect.stringContaining('3 users could not be asked'),
    ]);
    expect(
      remarks({ ...report, tool: { ...report.tool, late_ms: { ...report.tool.late_ms, p99: 21 } } }),
    ).toContainEqual(expect.stringContaining('The tool itself'));
    expect(summary(report)).toContain('rate_limited 6');
  });

  it('is one page that loads nothing and runs nothing, whatever the address is', () => {
    const html = page({ ...reportOf({ errors: { timeout: 1 } }), started_at: '<script>' });
    expect(html).not.toMatch(/<(script|link|img|iframe)|src=|url\(|@import|https?:\/\/(?!127\.0\.0\.1:1\b)/);
    expect(html.match(/<svg/g)).toHaveLength(2);
    expect(html).toContain('Errors by code');
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('also of a run in which nothing was answered, and of a long one', () => {
    const long = page(reportOf({ seconds: 2000 }));
    expect(long).not.toMatch(/NaN|undefined|Infinity/);
    expect(long.length).toBeLessThan(200_000);
    const report = reportOf({ seconds: 1 });
    const nothing = page({ ...report, rows: [], timeline: { lead: 'message:send', seconds: [] } });
    expect(nothing).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('sums up the verdicts of the workers, with the first findings', () => {
    const [first, second] = [emptyVerdict(), emptyVerdict()];
    for (let i = 0; i < 30; i++) addFinding(first, 'lost', `message ${i}`);
    addFinding(second, 'doubled', 'another');
    const verdict = sumOf([first, { ...second, sent: 4 }, { ...emptyVerdict(), sent: 3 }]);
    expect(verdict).toMatchObject({ sent: 7, lost: 30, doubled: 1, outOfOrder: 0 });
    expect(verdict.findings).toHaveLength(20);
    expect([isClean(verdict), isClean({ ...emptyVerdict(), unchecked: 1 }), isClean(emptyVerdict())]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('charts', () => {
  it('have round ticks around the values', () => {
    expect(linearTicks(0)).toEqual([0, 0.5, 1]);
    expect(linearTicks(87)).toEqual([0, 50, 100]);
    expect(linearTicks(1000)).toEqual([0, 500, 1000]);
    expect(logarithmicTicks(3, 250)).toEqual([1, 10, 100, 1000]);
    expect(logarithmicTicks(1, 1)).toEqual([1, 10]);
  });

  it('leave a gap where there is no value', () => {
    const series = [{ name: 'p50', tone: 'one', values: [1, null, 2, 3] }];
    const svg = lineChart({ title: 't', unit: 'ms', step: 1, series });
    expect(/class="line one" d="([^"]+)"/.exec(svg)![1]!.replace(/[\d. ]+/g, '')).toBe('MlMlL');
    expect(svg).toContain('p50 –');
  });
});

it('the progress says how far it is', () => {
  const latency = { p50: 1, p95: 2, p99: 3, max: 4 };
  const now = { done: 10, of: 60, answered: 500, errors: 2, latency };
  expect(progressLine({ phase: 'load', ...now })).toBe('10 of 60 s  50/s  p50 1.0 ms  p99 3.0 ms  2 errors');
  expect(progressLine({ phase: 'accounts', ...now })).toBe('making accounts: 10 of 60 users');
});

/** Sums up what the workers measure: latencies in histograms, the rest in counts. */
import { build, type Histogram } from 'hdr-histogram-js';
import { GIVEN_UP, type Second } from './process-messages.ts';

/** Milliseconds. */
export interface Latency {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export interface Row {
  /** A command, `reconnection` or `connection`, or, after an arrow, an event that arrived. */
  what: string;
  answered: number;
  latency_ms: Latency;
  /** By code. */
  errors: Record<string, number>;
  /** By reason. */
  not_begun: Record<string, number>;
}

export interface SecondRow {
  /** From the start, 0 the first. */
  second: number;
  answered: number;
  errors: number;
  not_begun: number;
  /** Of the command that the mix is about; null where none was answered. */
  latency_ms: Latency | null;
}

export interface Totals {
  answered: number;
  /** By code. */
  errors: Record<string, number>;
  /** By reason. */
  not_begun: Record<string, number>;
}

export interface Figures {
  /** @param index which second of the worker's it is; each worker tells each in its order */
  add(index: number, second: Second): void;
  rows(): Row[];
  totals(): Totals;
  /** Of the command that the mix is about, so far. */
  lead(): Latency;
  seconds(): SecondRow[];
  /** By how much the tool itself was late, in milliseconds. */
  late(): Latency;
}

/** An hour in microseconds: nothing is waited for longer. */
const HIGHEST_US = 3_600_000_000;

function newHistogram(): Histogram {
  return build({ highestTrackableValue: HIGHEST_US, autoResize: false, numberOfSignificantValueDigits: 3 });
}

/** What has an arrow is an event that another command caused, and is no answer. */
function isAnswer(what: string): boolean {
  return !what.startsWith('→');
}

function latencyOf(histogram: Histogram): Latency {
  // A percentile is the end of a bucket: it may lie above the highest value in it.
  const at = (percentile: number) => Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1000;
  return { p50: at(50), p95: at(95), p99: at(99), max: histogram.maxValue / 1000 };
}

function record(histogram: Histogram, values: Uint32Array): void {
  for (const value of values) histogram.recordValue(Math.min(value, HIGHEST_US));
}

/** The sum of all counts. */
export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

function addCounts(to: Record<string, number>, counts: Record<string, number>): void {
  for (const [name, count] of Object.entries(counts)) to[name] = (to[name] ?? 0) + count;
}

interface Sum {
  histogram: Histogram;
  answered: number;
  errors: Record<string, number>;
  notBegun: Record<string, number>;
}

/** @param lead the command whose latency over time is of interest */
export function createFigures(workers: number, lead: string): Figures {
  const all = new Map<string, Sum>();
  const lateness = newHistogram();
  const ofSecond = newHistogram();
  const closed: SecondRow[] = [];
  /** Seconds that some of the workers have yet to tell. */
  const open = new Map<number, { row: SecondRow; latencies: Uint32Array[]; told: number }>();

  function sumOf(what: string): Sum {
    const known = all.get(what) ?? { histogram: newHistogram(), answered: 0, errors: {}, notBegun: {} };
    all.set(what, known);
    return known;
  }

  function close(index: number): void {
    const { row, latencies } = open.get(index)!;
    open.delete(index);
    ofSecond.reset();
    for (const values of latencies) record(ofSecond, values);
    closed.push({ ...row, latency_ms: ofSecond.totalCount === 0 ? null : latencyOf(ofSecond) });
  }

  return {
    add(index, { latencies, errors, notBegun, late }) {
      const row = { second: index, answered: 0, errors: 0, not_begun: 0, latency_ms: null };
      const second = open.get(index) ?? { row, latencies: [], told: 0 };
      open.set(index, second);
      for (const [what, values] of Object.entries(latencies)) {
        const { histogram } = sumOf(what);
        record(histogram, values);
        sumOf(what).answered += values.length;
        if (isAnswer(what)) second.row.answered += values.length;
        if (what === lead) second.latencies.push(values);
      }
      for (const [what, codes] of Object.entries(errors)) {
        const known = sumOf(what);
        addCounts(known.errors, codes);
        // Its wait is among the latencies, but it is no answer.
        const givenUp = GIVEN_UP.reduce((all, code) => all + (codes[code] ?? 0), 0);
        known.answered -= givenUp;
        if (isAnswer(what)) second.row.answered -= givenUp;
        second.row.errors += sum(codes);
      }
      for (const [what, reasons] of Object.entries(notBegun)) {
        addCounts(sumOf(what).notBegun, reasons);
        second.row.not_begun += sum(reasons);
      }
      record(lateness, late);
      second.told++;
      if (second.told === workers) close(index);
    },
    rows: () =>
      [...all]
        .filter(([, { answered, errors, notBegun }]) => answered + sum(errors) + sum(notBegun) > 0)
        .map(([what, { histogram, answered, errors, notBegun }]) => ({
          what,
          answered,
          latency_ms: latencyOf(histogram),
          errors,
          not_begun: notBegun,
        }))
        .sort((a, b) => a.what.localeCompare(b.what)),
    totals() {
      const totals: Totals = { answered: 0, errors: {}, not_begun: {} };
      for (const [what, { answered, errors, notBegun }] of all) {
        if (isAnswer(what)) totals.answered += answered;
        addCounts(totals.errors, errors);
        addCounts(totals.not_begun, notBegun);
      }
      return totals;
    },
    lead: () => latencyOf(sumOf(lead).histogram),
    seconds() {
      for (const index of [...open.keys()]) close(index);
      return closed.sort((a, b) => a.second - b.second);
    },
    late: () => latencyOf(lateness),
  };
}

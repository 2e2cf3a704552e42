/** The report of a run, as it is written to `load-report.json`. */
import { availableParallelism, cpus } from 'node:os';
import type { LoadOptions } from './arguments.ts';
import type { Figures, Latency, Row, SecondRow, Totals } from './figures.ts';
import { MIXES, type Mix } from './mixes.ts';
import type { WorkerVerdict } from './verdict.ts';

export interface LoadReport {
  started_at: string;
  /** All but the server key. */
  options: Omit<LoadOptions, 'serverKey' | 'out'>;
  mix: Mix;
  /** Whether it was stopped before its time was over. */
  ended_early: boolean;
  /** How long the load lasted, and before it the preparation and after it the check, in seconds. */
  seconds: { prepared: number; loaded: number; checked: number };
  verdict: WorkerVerdict;
  totals: Totals & { answered_per_second: number };
  rows: Row[];
  timeline: { lead: string; seconds: SecondRow[] };
  /** What the load took on the side of the tool. */
  tool: { late_ms: Latency; cpu_ms_per_answer: number; cpu_share: number; node: string; cpu: string; cores: number };
}

export interface ReportParts {
  options: LoadOptions;
  startedAt: Date;
  endedEarly: boolean;
  seconds: LoadReport['seconds'];
  verdict: WorkerVerdict;
  figures: Figures;
  /** Of all workers, in milliseconds. */
  cpuMs: number;
}

/** The command whose latency is drawn over time. */
export function leadOf(mix: LoadOptions['mix']): string {
  return mix === 'calls' ? 'call:initiate' : 'message:send';
}

export function makeReport(parts: ReportParts): LoadReport {
  const { serverKey: _, out: __, ...options } = parts.options;
  const totals = parts.figures.totals();
  return {
    started_at: parts.startedAt.toISOString(),
    options,
    mix: MIXES[options.mix],
    ended_early: parts.endedEarly,
    seconds: parts.seconds,
    verdict: parts.verdict,
    totals: { ...totals, answered_per_second: totals.answered / parts.seconds.loaded },
    rows: parts.figures.rows(),
    timeline: { lead: leadOf(options.mix), seconds: parts.figures.seconds() },
    tool: {
      late_ms: parts.figures.late(),
      cpu_ms_per_answer: totals.answered === 0 ? 0 : parts.cpuMs / totals.answered,
      cpu_share: parts.cpuMs / 1000 / parts.seconds.loaded / options.processes,
      node: process.version,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
    },
  };
}

/** The tool was too busy to keep its own plan, so its figures say little about the server. */
const MOST_LATE_MS = 20;

const REASONS: Record<string, string> = {
  in_flight: 'as many commands as may be (--in-flight) were under way already',
  asked_to_wait: 'the server had asked the user to wait (retry_after_ms)',
  in_call: 'all pairs were in a call; take more users or a lower rate',
  not_connected: 'the user was not connected',
};

/** What an operator must know to read the figures rightly, in sentences. */
export function remarks({ tool, totals, verdict, ended_early }: LoadReport): string[] {
  const found: string[] = [];
  if (ended_early) found.push('The run was stopped before its time was over.');
  if (tool.late_ms.p99 > MOST_LATE_MS) {
    found.push(
      `The tool itself began actions up to ${tool.late_ms.p99.toFixed(0)} ms late (p99): latencies contain that. ` +
        'Give it more processes or another machine.',
    );
  }
  for (const [reason, count] of Object.entries(totals.not_begun)) {
    found.push(`${count} actions or receipts were due and not begun: ${REASONS[reason]}.`);
  }
  if (totals.errors.rate_limited) {
    found.push(
      'The server limited users (rate_limited): start it with RATE_LIMITS=off to measure what it can do, or plan for ' +
        'more users with less to do each. See "Limits" in docs/operations.md.',
    );
  }
  if (verdict.unchecked > 0) {
    found.push(`${verdict.unchecked} users could not be asked in the end what they have: what they lost is not known.`);
  }
  return found;
}

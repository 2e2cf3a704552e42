/**
 * The doctor: checks whether what is stored fits together, and mends what is derived. It works beside running servers.
 * What they are just writing looks wrong for a moment, so only what is still wrong after a while counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check, CheckContext, Finding } from './check.ts';
import { CHECKS } from './checks.ts';

/** Longer than any write takes, and than derived data may lag behind (docs/data.md). Milliseconds. */
const SECOND_LOOK_MS = 12_000;

export interface DoctorOptions {
  context: CheckContext;
  /** Whether to mend what can be mended. */
  repair: boolean;
  /** Called with each line of the report. */
  say(line: string): void;
  /** The wait before the second look at what was wrong, in milliseconds; 0 where no server runs. */
  secondLookMs?: number;
}

export interface Report {
  found: number;
  mended: number;
}

/** Runs every check. What is left wrong is `found - mended`. */
export async function examine({ context, repair, say, secondLookMs = SECOND_LOOK_MS }: DoctorOptions): Promise<Report> {
  const first = new Map<Check, Set<string>>();
  for (const check of CHECKS) {
    const suspects = new Set<string>();
    for await (const { what } of check.find(context)) suspects.add(what);
    if (suspects.size > 0) first.set(check, suspects);
  }
  if (first.size > 0) await sleep(secondLookMs);

  const report: Report = { found: 0, mended: 0 };
  for (const check of CHECKS) {
    const suspects = first.get(check);
    const { found, mended } = suspects ? await treat(check, suspects) : { found: 0, mended: 0 };
    report.found += found;
    report.mended += mended;
    if (found > 0) say(`${check.name}: ${found} found, ${mended} mended`);
  }
  return report;

  async function treat(check: Check, suspects: Set<string>): Promise<Report> {
    // Gathered first: a repair must not move what is being read.
    const findings: Finding[] = [];
    for await (const finding of check.find(context)) if (suspects.has(finding.what)) findings.push(finding);
    if (repair) for (const { repair: mend } of findings) await mend?.();
    const left = new Set<string>();
    if (repair) for await (const { what } of check.find(context)) left.add(what);

    const isMended = ({ what }: Finding) => repair && !left.has(what);
    for (const finding of findings) say(`  ${finding.what} (${isMended(finding) ? 'mended' : outlook(finding)})`);
    return { found: findings.length, mended: findings.filter(isMended).length };
  }
}

const outlook = ({ repair }: Finding) => (repair ? '--repair mends it' : 'nothing tells what was there');

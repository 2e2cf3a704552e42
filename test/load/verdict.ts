/** What became of the messages of a run, as a worker finds it for its own rooms. */

export interface WorkerVerdict {
  /** Messages that were sent, and those of them that the server acknowledged. */
  sent: number;
  acknowledged: number;
  /** Acknowledged, but a member of the room has it neither live nor after a last `sync`; each counts once. */
  lost: number;
  /** Stored under two seqs, or told twice as new on one connection. */
  doubled: number;
  /** Told on one connection after a later one, or passed over there; or two messages with one seq. */
  outOfOrder: number;
  /** Users who could not be asked in the end what they have. */
  unchecked: number;
  /** The first few findings, in words. */
  findings: string[];
}

export type Fault = 'lost' | 'doubled' | 'outOfOrder';

const MOST_FINDINGS = 20;

export function emptyVerdict(): WorkerVerdict {
  return { sent: 0, acknowledged: 0, lost: 0, doubled: 0, outOfOrder: 0, unchecked: 0, findings: [] };
}

export function addFinding(verdict: WorkerVerdict, fault: Fault, words: string): void {
  verdict[fault]++;
  if (verdict.findings.length < MOST_FINDINGS) verdict.findings.push(`${fault}: ${words}`);
}

/** The verdicts of all workers as one. */
export function sumOf(verdicts: WorkerVerdict[]): WorkerVerdict {
  const sum = emptyVerdict();
  for (const verdict of verdicts) {
    for (const key of ['sent', 'acknowledged', 'lost', 'doubled', 'outOfOrder', 'unchecked'] as const) {
      sum[key] += verdict[key];
    }
    sum.findings = [...sum.findings, ...verdict.findings].slice(0, MOST_FINDINGS);
  }
  return sum;
}

/** Whether everything that was promised is known to have been kept. */
export function isClean({ lost, doubled, outOfOrder, unchecked }: WorkerVerdict): boolean {
  return lost + doubled + outOfOrder + unchecked === 0;
}

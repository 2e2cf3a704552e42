/** What a worker measures, until the parent is told once a second. */
import { GIVEN_UP, type Second } from './process-messages.ts';

export interface Recorder {
  /** An answer, counted from the time for which the action was planned. */
  answered(what: string, plannedAt: number): void;
  /** An error, by its code. What was given up also counts as a latency: a slow server cannot hide behind it. */
  failed(what: string, code: string, plannedAt: number): void;
  /** An action that was due and is left out, by the reason. */
  notBegun(what: string, reason: 'in_flight' | 'asked_to_wait' | 'in_call' | 'not_connected'): void;
  /** A planned action that begins now. */
  begun(plannedAt: number): void;
  /** What was measured since the last call. */
  take(): Second;
}

type Counts = Record<string, Record<string, number>>;

function count(counts: Counts, what: string, kind: string): void {
  counts[what] ??= {};
  counts[what][kind] = (counts[what][kind] ?? 0) + 1;
}

/** Times are those of `performance.now()`. */
export function createRecorder(): Recorder {
  let latencies: Record<string, number[]> = {};
  let errors: Second['errors'] = {};
  let notBegun: Second['notBegun'] = {};
  let late: number[] = [];

  const microsecondsSince = (at: number) => Math.max(0, Math.round((performance.now() - at) * 1000));

  function answered(what: string, plannedAt: number): void {
    latencies[what] ??= [];
    latencies[what].push(microsecondsSince(plannedAt));
  }

  return {
    answered,
    failed(what, code, plannedAt) {
      count(errors, what, code);
      if (GIVEN_UP.includes(code)) answered(what, plannedAt);
    },
    notBegun: (what, reason) => count(notBegun, what, reason),
    begun: (plannedAt) => void late.push(microsecondsSince(plannedAt)),
    take() {
      const taken: Second = {
        latencies: Object.fromEntries(Object.entries(latencies).map(([what, all]) => [what, Uint32Array.from(all)])),
        errors,
        notBegun,
        late: Uint32Array.from(late),
      };
      latencies = {};
      errors = {};
      notBegun = {};
      late = [];
      return taken;
    },
  };
}

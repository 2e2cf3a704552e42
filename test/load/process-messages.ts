/** What the tool's parent process and its workers say to each other. */
import type { MixName } from './mixes.ts';
import type { WorkerVerdict } from './verdict.ts';

/** A worker's part of the run. */
export interface Share {
  url: string;
  serverKey?: string;
  mix: MixName;
  /** The sizes of its rooms. */
  rooms: number[];
  /** Its part of the planned actions per second. */
  rate: number;
  seconds: number;
  inFlight: number;
  timeoutMs: number;
  seed: number;
  /** Begins the names of its users and the ids of its messages: nobody else's do. */
  prefix: string;
}

/** What a worker measured in one second, by what was measured. */
export interface Second {
  /** Microseconds from the planned time to the answer, or until it was given up. */
  latencies: Record<string, Uint32Array>;
  /** By code. */
  errors: Record<string, Record<string, number>>;
  /** By reason. */
  notBegun: Record<string, Record<string, number>>;
  /** Microseconds by which the tool itself began the planned actions too late. */
  late: Uint32Array;
}

/** Codes of what was waited for in vain: it counts as an error and with its whole wait among the latencies. */
export const GIVEN_UP: readonly string[] = ['timeout', 'not_connected'];

export type ToWorker = { kind: 'prepare'; share: Share } | { kind: 'go' } | { kind: 'stop' };

export type FromWorker =
  | { kind: 'prepared'; what: 'accounts' | 'connections'; count: number }
  | { kind: 'notice'; text: string }
  | { kind: 'ready' }
  | { kind: 'second'; index: number; second: Second }
  | { kind: 'checking' }
  /** `loadedMs`: from the start until the last answer, or until it was given up. */
  | { kind: 'done'; verdict: WorkerVerdict; loadedMs: number; cpuMs: number }
  | { kind: 'failed'; message: string };

/** A run of the tool: prepares the workers, lets them go together, and sums up what they tell. */
import { randomBytes } from 'node:crypto';
import type { LoadOptions } from './arguments.ts';
import { createFigures, type Latency, sum } from './figures.ts';
import { MIXES } from './mixes.ts';
import type { FromWorker, Share } from './process-messages.ts';
import { type LoadReport, leadOf, makeReport } from './report.ts';
import { dealRooms } from './schedule.ts';
import { sumOf } from './verdict.ts';
import { startWorker } from './workers.ts';

/** What there is to see while it runs. */
export interface Progress {
  phase: 'accounts' | 'connections' | 'load' | 'check';
  /** Users, or seconds, and of how many. */
  done: number;
  of: number;
  /** Since the load began. */
  answered: number;
  errors: number;
  latency: Latency;
}

export interface LoadHooks {
  onProgress(progress: Progress): void;
  /** Something that the operator should know at once. */
  onNotice(text: string): void;
  /** Aborted: the load ends early, and is reported all the same. */
  signal: AbortSignal;
}

/** @throws Error in words for the operator when the load could not begin */
export async function runLoad(options: LoadOptions, { onProgress, onNotice, signal }: LoadHooks): Promise<LoadReport> {
  const shares = sharesOf(options);
  const figures = createFigures(shares.length, leadOf(options.mix));
  const prepared = { accounts: 0, connections: 0 };
  let phase: Progress['phase'] = 'accounts';
  let second = 0;
  const startedAt = new Date();

  function onMessage(message: FromWorker): void {
    if (message.kind === 'notice') onNotice(message.text);
    if (message.kind === 'prepared') {
      prepared[message.what] += message.count;
      phase = prepared.accounts < options.users ? 'accounts' : 'connections';
    }
    if (message.kind === 'second') {
      figures.add(message.index, message.second);
      second = Math.max(second, message.index + 1);
    }
    if (message.kind === 'checking') phase = 'check';
    const { answered, errors } = figures.totals();
    onProgress({
      phase,
      ...(phase === 'accounts' || phase === 'connections'
        ? { done: prepared[phase], of: options.users }
        : { done: second, of: options.seconds }),
      answered,
      errors: sum(errors),
      latency: figures.lead(),
    });
  }

  const workers = shares.map((share) => startWorker(share, onMessage));
  const stopping = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped before the load began')), { once: true });
  });
  stopping.catch(() => {});
  try {
    const beganAt = performance.now();
    await Promise.race([Promise.all(workers.map((worker) => worker.ready)), stopping]);
    const readyAt = performance.now();
    phase = 'load';
    for (const worker of workers) worker.tell({ kind: 'go' });
    let endedEarly = false;
    const stop = () => {
      endedEarly = phase === 'load';
      for (const worker of workers) worker.tell({ kind: 'stop' });
    };
    signal.addEventListener('abort', stop, { once: true });
    const all = await Promise.all(workers.map((worker) => worker.done));
    const loadedMs = Math.max(...all.map((done) => done.loadedMs));
    return makeReport({
      options: { ...options, processes: workers.length },
      startedAt,
      endedEarly,
      seconds: {
        prepared: (readyAt - beganAt) / 1000,
        loaded: loadedMs / 1000,
        checked: (performance.now() - readyAt - loadedMs) / 1000,
      },
      verdict: sumOf(all.map(({ verdict }) => verdict)),
      figures,
      cpuMs: all.reduce((total, { cpuMs }) => total + cpuMs, 0),
    });
  } finally {
    for (const worker of workers) worker.kill();
  }
}

/** Each process gets whole rooms, and of the rate as large a part as of the users. */
function sharesOf(options: LoadOptions): Share[] {
  const { url, users, rate, mix, seconds, timeoutMs, seed, serverKey } = options;
  const run = randomBytes(4).toString('hex');
  const dealt = dealRooms(users, MIXES[mix].roomSize, options.processes);
  return dealt.map((rooms, index) => ({
    url,
    ...(serverKey === undefined ? {} : { serverKey }),
    mix,
    rooms,
    rate: (rate * rooms.reduce((total, size) => total + size, 0)) / users,
    seconds,
    inFlight: Math.ceil(options.inFlight / dealt.length),
    timeoutMs,
    seed: (seed + 2 * index) % 2 ** 32,
    prefix: `load-${run}-${index}-`,
  }));
}

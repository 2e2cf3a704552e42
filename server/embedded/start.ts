import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { prepareFolder } from './folder.ts';
import { lockFolder } from './lock.ts';
import type { WorkerInput, WorkerReport } from './worker.ts';

/** How long a process that ends waits for the thread, in milliseconds. Killing it loses nothing: the log has it all. */
const RELEASE_MS = 2000;

export interface EmbeddedOptions {
  /** The folder for data, made if it is missing. The database keeps to `database` inside it. */
  dataDir: string;
  /** Default 127.0.0.1, because there is no authentication. */
  host?: string;
  /** Default 0, which means any free port. */
  port?: number;
  /** With less than this free on the disk, in bytes, writes are refused. Default 0: as long as the disk takes them. */
  reserveBytes?: number;
}

export interface Embedded {
  url: string;
  /** Finishes the commands under way, then stops. */
  close(): Promise<void>;
}

/**
 * Starts the embedded development database in a worker thread, off the caller's event loop.
 * @throws Error with a one-line message: the folder is in use or cannot be used, the port is taken
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { dataDir, host = '127.0.0.1', port = 0, reserveBytes = 0 } = options;
  const folder = join(dataDir, 'database');
  await prepareFolder(folder);
  const unlock = await lockFolder(folder);
  const released = new Int32Array(new SharedArrayBuffer(4));
  const input: WorkerInput = { folder, host, port, reserveBytes, released };
  const worker = newWorker(input);
  // A process that ends without `close` ends its threads, and this one has to let go first (`Storage.release`).
  const release = () => {
    worker.postMessage('release');
    if (Atomics.wait(released, 0, 0, RELEASE_MS) === 'timed-out') process.kill(process.pid, 'SIGKILL');
  };
  process.once('exit', release);
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  void exited.then(() => process.off('exit', release));
  try {
    const actualPort = await listening(worker, host, port);
    let closing: Promise<void> | undefined;
    // Without its store the process is useless: a clear end is better than errors without end.
    worker.once('exit', () => {
      if (closing === undefined) throw new Error('the embedded database has stopped unexpectedly');
    });
    return {
      url: `mongodb://${host}:${actualPort}/letsapp`,
      close: () => {
        closing ??= (async () => {
          worker.postMessage('close');
          await exited;
          await unlock();
        })();
        return closing;
      },
    };
  } catch (error) {
    await worker.terminate();
    await unlock();
    throw error;
  }
}

/** From source, the worker must register the TypeScript loader itself: Node 20 does not pass `--import tsx` on. */
function newWorker(workerData: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const bootstrap = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(bootstrap, { eval: true, workerData });
}

function listening(worker: Worker, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (report: WorkerReport) => {
      if ('port' in report) resolve(report.port);
      else if ('failure' in report) reject(failureOf(report, host, port));
    });
  });
}

function failureOf(report: { failure: string; code: string | undefined }, host: string, port: number): Error {
  const { failure, code } = report;
  if (code === 'EADDRINUSE') return new Error(`port ${port} (DATABASE_PORT) of ${host} is in use`);
  return new Error(`the embedded database did not start: ${failure}`);
}

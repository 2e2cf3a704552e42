import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { prepareFolder } from './folder.ts';
import { lockFolder } from './lock.ts';
import type { WorkerInput, WorkerReport } from './worker.ts';

/** How long a process that ends waits for the thread, in milliseconds. Nothing is lost by killing it: there is the log. */
const RELEASE_MS = 2000;

export interface EmbeddedOptions {
  /** The folder for data; the database keeps to `database` in it. Made if it is missing. */
  dataDir: string;
  /** Default 127.0.0.1: there is no authentication. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
}

export interface Embedded {
  url: string;
  /** Lets commands that are under way finish, then stops. */
  close(): Promise<void>;
}

/**
 * Starts the embedded development database in a worker thread, off the caller's event loop.
 * @throws Error with a one-line message: the folder is in use or cannot be used, the port is taken
 */
export async function startEmbedded({ dataDir, host = '127.0.0.1', port = 0 }: EmbeddedOptions): Promise<Embedded> {
  const folder = join(dataDir, 'database');
  await prepareFolder(folder);
  const unlock = await lockFolder(folder);
  const released = new Int32Array(new SharedArrayBuffer(4));
  const input: WorkerInput = { folder, host, port, released };
  const worker = newWorker(input);
  // A process that ends without `close` ends its threads: this one has to let go first (`Storage.release`).
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
    // Without its store the process is of no use to anyone: better a clear end than errors without end.
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

/** From source, the worker has to register the TypeScript loader first: Node 20 does not hand `--import tsx` on. */
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

function failureOf(
  { failure, code }: { failure: string; code: string | undefined },
  host: string,
  port: number,
): Error {
  if (code === 'EADDRINUSE') return new Error(`port ${port} (DATABASE_PORT) of ${host} is in use`);
  return new Error(`the embedded database did not start: ${failure}`);
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { forgetAddress, noteAddress } from './address.ts';
import { closeFolder, prepareFolder } from './folder.ts';
import { lockFolder } from './lock.ts';
import type { Address } from './server.ts';
import { socketPlace, urlOfSocket } from './socket.ts';
import { adviceOn, readMoved } from './storage/moved.ts';
import type { WorkerInput, WorkerReport } from './worker.ts';

/** How long a process that ends waits for the thread, in milliseconds. Killing it loses nothing: the log has it all. */
const RELEASE_MS = 2000;
const LOOPBACK = '127.0.0.1';

export interface EmbeddedOptions {
  /** The folder for data, made if it is missing. The database keeps to `database` inside it. */
  dataDir: string;
  /**
   * A port on the loopback interface (0 for any free one), for every process of the machine. Without it the database
   * listens where nobody but this user can reach it.
   */
  port?: number;
  /** With less than this free on the disk, in bytes, writes are refused. Default 0: as long as the disk takes them. */
  reserveBytes?: number;
  /** What clients must know, by SCRAM-SHA-256. On a port without it, every process of the machine may do everything. */
  password?: string | undefined;
  /** Told why writes are refused, and with undefined that they are taken again. */
  onRefusing?(reason: string | undefined): void;
}

export interface Embedded {
  /** Where drivers find it. A password that was given is not part of it. */
  url: string;
  /** Finishes the commands under way, then stops. */
  close(): Promise<void>;
}

/** Where the database listens, and what is left to do once it has stopped. */
interface Place {
  address: Address;
  password: string | undefined;
  /** @param port the actual one */
  url(port: number): string;
  remove(): Promise<void>;
}

/**
 * Starts the embedded development database in a worker thread, off the caller's event loop.
 * @throws Error with a one-line message: the folder is in use or cannot be used, a file in it is damaged, it was moved,
 *   the port is taken
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const folder = join(options.dataDir, 'database');
  await prepareFolder(options.dataDir);
  await prepareFolder(folder);
  const unlock = await lockFolder(folder);
  let place: Place | undefined;
  try {
    await closeFolder(folder);
    const moved = readMoved(folder);
    if (moved) throw new Error(adviceOn(moved, folder));
    // That of a process that was killed.
    await forgetAddress(folder);
    place = await choosePlace(folder, options);
    const embedded = await startWorker(folder, place, options, unlock);
    await noteAddress(folder, embedded.url);
    return embedded;
  } catch (error) {
    await place?.remove();
    unlock();
    throw error;
  }
}

async function choosePlace(folder: string, { port, password }: EmbeddedOptions): Promise<Place> {
  const remove = async () => {};
  if (port !== undefined) {
    const url = (actual: number) => `mongodb://${LOOPBACK}:${actual}/letsapp`;
    return { address: { host: LOOPBACK, port }, password, url, remove };
  }
  if (process.platform === 'win32') {
    // There are no Unix sockets for drivers: a password that nobody else knows takes their place.
    const own = randomBytes(32).toString('hex');
    const url = (actual: number) => `mongodb://letsapp:${own}@${LOOPBACK}:${actual}/letsapp`;
    return { address: { host: LOOPBACK, port: 0 }, password: own, url, remove };
  }
  const socket = await socketPlace(folder);
  const url = () => urlOfSocket(socket.path);
  return { address: { path: socket.path }, password, url, remove: socket.remove };
}

async function startWorker(
  folder: string,
  place: Place,
  { onRefusing, reserveBytes = 0 }: EmbeddedOptions,
  unlock: () => void,
): Promise<Embedded> {
  const released = new Int32Array(new SharedArrayBuffer(4));
  const worker = newWorker({ folder, address: place.address, password: place.password, reserveBytes, released });
  // A process that ends without `close` ends its threads, and this one has to let go first (`Storage.release`).
  const release = () => {
    worker.postMessage('release');
    if (Atomics.wait(released, 0, 0, RELEASE_MS) === 'timed-out') process.kill(process.pid, 'SIGKILL');
  };
  process.once('exit', release);
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  void exited.then(() => process.off('exit', release));
  worker.on('message', (report: WorkerReport) => {
    if ('refusing' in report) onRefusing?.(report.refusing);
  });
  const port = await listening(worker, place.address).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  let closing: Promise<void> | undefined;
  // Without its store the process is useless: a clear end is better than errors without end.
  worker.once('exit', () => {
    if (closing === undefined) throw new Error('the embedded database has stopped unexpectedly');
  });
  return {
    url: place.url(port),
    close: () => {
      closing ??= (async () => {
        worker.postMessage('close');
        await exited;
        await forgetAddress(folder);
        await place.remove();
        unlock();
      })();
      return closing;
    },
  };
}

/** From source, the worker must register the TypeScript loader itself: Node 20 does not pass `--import tsx` on. */
function newWorker(workerData: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const bootstrap = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(bootstrap, { eval: true, workerData });
}

function listening(worker: Worker, address: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (report: WorkerReport) => {
      if ('port' in report) resolve(report.port);
      else if ('failure' in report) reject(failureOf(report, address));
    });
  });
}

function failureOf({ failure, code }: { failure: string; code: string | undefined }, address: Address): Error {
  if (code === 'EADDRINUSE' && 'port' in address) {
    return new Error(`port ${address.port} (DATABASE_PORT) of ${address.host} is in use`);
  }
  return new Error(`the embedded database did not start: ${failure}`);
}

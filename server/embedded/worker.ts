import { parentPort, workerData } from 'node:worker_threads';
import { withReserve } from './reserve.ts';
import { listen } from './server.ts';
import { openEngine } from './storage/engine.ts';
import { startSweeper } from './sweeper.ts';

/** What `start.ts` hands to the worker thread. */
export interface WorkerInput {
  folder: string;
  host: string;
  port: number;
  /** As in `EmbeddedOptions`. */
  reserveBytes: number;
  /** Set to 1 once the thread may be ended. */
  released: Int32Array;
}

/** What the worker tells `start.ts`: where it listens, why it does not, or that it has closed. */
export type WorkerReport = { port: number } | { failure: string; code: string | undefined } | { closed: true };

const { folder, host, port, reserveBytes, released } = workerData as WorkerInput;
const report = (message: WorkerReport) => parentPort!.postMessage(message);

try {
  const { engine, stop: stopLooking } = withReserve(openEngine(folder), folder, reserveBytes);
  const server = await listen(engine, host, port).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  const stopSweeper = startSweeper(engine);
  const release = () => {
    engine.storage.release();
    Atomics.store(released, 0, 1);
    Atomics.notify(released, 0);
  };
  // For the case that this thread ends by itself, through an error that nobody caught.
  process.once('exit', release);
  parentPort!.on('message', async (message: 'release' | 'close') => {
    if (message === 'release') return release();
    await server.close();
    stopLooking();
    await stopSweeper();
    await engine.close();
    report({ closed: true });
    parentPort!.close();
  });
  report({ port: server.port });
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException;
  report({ failure: message, code });
  parentPort!.close();
}

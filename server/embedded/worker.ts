import { parentPort, workerData } from 'node:worker_threads';
import { deriveCredentials } from './auth/scram.ts';
import { type Address, listen } from './server.ts';
import { compactTree } from './storage/compaction.ts';
import { openEngine } from './storage/engine.ts';
import { startSweeper } from './sweeper.ts';

/** What `start.ts` hands to the worker thread. */
export interface WorkerInput {
  folder: string;
  address: Address;
  /** What clients must know. */
  password: string | undefined;
  /** As in `EmbeddedOptions`. */
  reserveBytes: number;
  /** Set to 1 once the thread may be ended. */
  released: Int32Array;
}

/** What the worker tells `start.ts`: where it listens, why it does not, whether it refuses writes, that it has closed. */
export type WorkerReport =
  | { port: number }
  | { failure: string; code: string | undefined }
  | { refusing: string | undefined }
  | { closed: true };

const { folder, address, password, reserveBytes, released } = workerData as WorkerInput;
const report = (message: WorkerReport) => parentPort!.postMessage(message);

try {
  const credentials = password === undefined ? undefined : await deriveCredentials(password);
  await compactTree(folder);
  const engine = openEngine(folder, { reserveBytes, onRefusing: (refusing) => report({ refusing }) });
  const server = await listen(engine, address, credentials).catch(async (error: unknown) => {
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

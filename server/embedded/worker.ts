import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from './engine.ts';
import { listen } from './server.ts';
import { startSweeper } from './sweeper.ts';

/** What `start.ts` hands to the worker. */
export interface WorkerInput {
  folder: string;
  host: string;
  port: number;
}

/** What the worker tells `start.ts`: where it listens, or why it does not; and that it has closed. */
export type WorkerReport = { port: number } | { failure: string; code: string | undefined } | { closed: true };

const { folder, host, port } = workerData as WorkerInput;
const report = (message: WorkerReport) => parentPort!.postMessage(message);

try {
  const engine = await openEngine(folder);
  const server = await listen(engine, host, port).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  const stopSweeper = startSweeper(engine);
  parentPort!.once('message', async () => {
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

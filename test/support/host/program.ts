/**
 * Runs servers for tests, all in one process, as its parent asks for by messages. A server started here costs a tenth of
 * a process of its own, and its code is warm.
 */
import { startApp } from '../../../server/app.ts';
import { readConfig } from '../../../server/config.ts';
import { prepareFolder } from '../../../server/embedded/folder.ts';
import { createLog } from '../../../server/observability/log.ts';
import type { HostAnswer, HostRequest } from './messages.ts';

const stops = new Map<number, () => Promise<void>>();

async function start(id: number, env: Record<string, string>): Promise<string> {
  const config = readConfig(env);
  await prepareFolder(config.dataDir);
  const app = await startApp(config, config.mongodbUrl!, createLog(config.logLevel, config.production));
  stops.set(id, app.stop);
  return app.url;
}

async function stop(id: number): Promise<undefined> {
  await stops.get(id)!();
  stops.delete(id);
  return undefined;
}

process.on('message', ({ id, env }: HostRequest) => {
  const done = env ? start(id, env) : stop(id);
  done.then(
    (url) => answer({ id, url }),
    (error: Error) => answer({ id, error: error.message }),
  );
});

function answer(message: HostAnswer): void {
  process.send!(message);
}

// The parent is gone.
process.on('disconnect', () => process.exit());

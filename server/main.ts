/** Environment → configuration → stores → server; and what ends it. */
import { readConfig } from './config.ts';
import { prepareFolder } from './embedded/folder.ts';
import { startEmbedded } from './embedded/start.ts';
import { createLog } from './observability/log.ts';

/** Longest that an orderly end may take, in milliseconds: SIGTERM exits within 10 s (PROTOCOL section 10). */
const SHUTDOWN_MS = 9000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel, config.production);
  // Uploads pass through it, whichever database there is.
  await prepareFolder(config.dataDir);
  const embedded =
    config.mongodbUrl === undefined ? await startEmbedded({ dataDir: config.dataDir, onRefusing }) : undefined;
  function onRefusing(reason: string | undefined): void {
    if (reason === undefined) log.warn('the embedded database takes writes again');
    else log.error({ reason }, 'the embedded database refuses writes');
  }
  // Loaded once the configuration is known to be right: what is wrong with it is told at once.
  const { startApp } = await import('./app.ts');
  const app = await startApp(config, config.mongodbUrl ?? embedded!.url, log).catch(async (error: unknown) => {
    await embedded?.close();
    throw error;
  });

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    app
      .stop()
      .then(() => embedded?.close())
      .then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A bug that nobody caught: the process goes on serving everybody else, and the log has it.
  process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'));

  process.stdout.write(`listening on ${app.url}\n`);
}

/** One line that says why, and a non-zero exit. */
function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`letsapp: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  process.exit(1);
}

main().catch(fail);

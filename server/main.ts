/** Environment → configuration → stores → server, and the signals that end it. */
import { readConfig } from './config.ts';
import { prepareFolder } from './embedded/folder.ts';
import { startEmbedded } from './embedded/start.ts';
import { createLog } from './observability/log.ts';

/** The longest orderly shutdown, in milliseconds: SIGTERM exits within 10 s (PROTOCOL section 10). */
const SHUTDOWN_MS = 9000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel, config.production);
  // Whichever database is used, uploads pass through this folder.
  await prepareFolder(config.dataDir);
  const { dataDir, minFreeBytes } = config;
  const embedded =
    config.mongodbUrl === undefined
      ? await startEmbedded({ dataDir, reserveBytes: minFreeBytes / 4, onRefusing })
      : undefined;
  function onRefusing(reason: string | undefined): void {
    if (reason === undefined) log.warn('the embedded database takes writes again');
    else log.error({ reason }, 'the embedded database refuses writes');
  }
  // Loaded only now, so that a wrong configuration is reported at once.
  const { startApp } = await import('./app.ts');
  const app = await startApp(config, config.mongodbUrl ?? embedded!.url, log).catch(async (error: unknown) => {
    await embedded?.close();
    throw error;
  });

  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.warn('not everything has ended in time');
      process.exit(0);
    }, SHUTDOWN_MS).unref();
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
  // A rejection that nobody handles is a bug: it is logged, and the process goes on serving.
  process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'));

  announce(app.url, config.production);
}

/** Says in one line that the server is ready, whatever the log level. */
function announce(url: string, production: boolean): void {
  const ready = `listening on ${url}`;
  if (production) createLog('info', true).info(`${ready} after ${Math.round(performance.now())} ms`);
  else process.stdout.write(`${ready}\n`);
}

/** Says why in one line and exits with an error. */
function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`letsapp: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  process.exit(1);
}

main().catch(fail);

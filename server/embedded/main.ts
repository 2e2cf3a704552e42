import { startEmbedded } from './start.ts';

/**
 * `npm run database`: the embedded database alone, on DATABASE_PORT (default 27017, 0 for any) with its data in DATA_DIR.
 * With DATABASE_PASSWORD, clients must authenticate.
 */
try {
  const database = await startEmbedded({
    dataDir: process.env.DATA_DIR || './data',
    port: portOf(process.env.DATABASE_PORT),
    password: process.env.DATABASE_PASSWORD || undefined,
    onRefusing: (reason) =>
      console.error(reason === undefined ? 'writes are taken again' : `writes are refused: ${reason}`),
  });
  const stop = () => {
    database.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(`listening on ${database.url}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function portOf(value: string | undefined): number {
  if (value === undefined || value === '') return 27017;
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65535)
    throw new Error(`DATABASE_PORT must be a port number (0 to 65535), not "${value}"`);
  return port;
}

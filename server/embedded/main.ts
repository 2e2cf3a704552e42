import { readFileSync } from 'node:fs';
import { startEmbedded } from './start.ts';

const DEFAULT_MIN_FREE = 256 * 1024 * 1024;

/**
 * `npm run database`: the embedded database alone, on DATABASE_PORT (default 27017, 0 for any) with its data in DATA_DIR.
 * With DATABASE_PASSWORD, or DATABASE_PASSWORD_FILE, clients must authenticate. With less than a quarter of MIN_FREE_BYTES free on its disk, it only
 * reads.
 */
try {
  const database = await startEmbedded({
    dataDir: process.env.DATA_DIR || './data',
    port: portOf(process.env.DATABASE_PORT),
    reserveBytes: minFreeOf(process.env.MIN_FREE_BYTES) / 4,
    password: passwordOf(process.env),
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

function passwordOf({ DATABASE_PASSWORD: password, DATABASE_PASSWORD_FILE: file }: NodeJS.ProcessEnv) {
  if (!file) return password || undefined;
  if (password) throw new Error('DATABASE_PASSWORD and DATABASE_PASSWORD_FILE exclude each other: set one of them');
  const text = readFileSync(file, 'utf8').trim();
  if (text === '') throw new Error('DATABASE_PASSWORD_FILE names a file that is empty');
  return text;
}

function minFreeOf(value: string | undefined): number {
  if (value === undefined || value === '') return DEFAULT_MIN_FREE;
  const bytes = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(bytes)) {
    throw new Error(`MIN_FREE_BYTES must be a number of bytes, not "${value}"`);
  }
  return bytes;
}

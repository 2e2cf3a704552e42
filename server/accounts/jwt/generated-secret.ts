/** A signing secret for development: generated once and kept in the data folder. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../lib/errors.ts';

const SECRET_FILE = 'jwt-secret';
const SECRET_BYTES = 32;

/**
 * Reads the secret from the data folder, or generates it where there is none. Processes that start at the same moment
 * all get the same secret.
 * @throws ConfigError when the folder cannot be used or the file holds less than 32 bytes
 */
export async function generatedSecret(dataDir: string): Promise<string> {
  const file = path.join(dataDir, SECRET_FILE);
  try {
    return (await readSecret(file)) ?? (await createSecret(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError(`DATA_DIR cannot hold a generated JWT secret (${code ?? message}): set JWT_SECRET`);
  }
}

async function readSecret(file: string): Promise<string | undefined> {
  const secret = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (secret !== undefined && Buffer.byteLength(secret) < SECRET_BYTES) {
    throw new ConfigError(`${file} must hold at least ${SECRET_BYTES} bytes: remove it, or set JWT_SECRET`);
  }
  return secret;
}

async function createSecret(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(SECRET_BYTES).toString('base64url'));
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A link appears whole or not at all and never replaces a file: the first process wins.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readFile(file, 'utf8');
}

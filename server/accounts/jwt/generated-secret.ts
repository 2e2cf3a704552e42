/** A signing secret for development: generated once and kept in the data folder. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ConfigError } from '../../lib/errors.ts';
import { keptFile } from '../../lib/kept-file.ts';

const SECRET_FILE = 'jwt-secret';
const SECRET_BYTES = 32;

/**
 * Reads the secret from the data folder, or generates it where there is none.
 * @throws ConfigError when the folder cannot be used or the file holds less than 32 bytes
 */
export async function generatedSecret(dataDir: string): Promise<string> {
  const file = path.join(dataDir, SECRET_FILE);
  const secret = await keptFile(file, () => randomBytes(SECRET_BYTES).toString('base64url')).catch(
    ({ code, message }: NodeJS.ErrnoException) => {
      throw new ConfigError(`DATA_DIR cannot hold a generated JWT secret (${code ?? message}): set JWT_SECRET`);
    },
  );
  if (Buffer.byteLength(secret) < SECRET_BYTES) {
    throw new ConfigError(`${file} must hold at least ${SECRET_BYTES} bytes: remove it, or set JWT_SECRET`);
  }
  return secret;
}

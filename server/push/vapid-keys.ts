/** The keys that name this server to push services (VAPID, RFC 8292). */
import path from 'node:path';
import type { PushConfig, VapidKeys } from '../config/push.ts';
import { ConfigError } from '../lib/errors.ts';
import { keptFile } from '../lib/kept-file.ts';
import { generateKeys, publicKeyOf } from '../lib/p256.ts';

const KEY_FILE = 'vapid-private-key';

/**
 * @returns the keys of the configuration, or those in the data folder, which are generated at the first start; undefined
 *   where Web Push is not set up
 * @throws ConfigError when the folder cannot be used, or the file holds no key
 */
export async function loadVapidKeys(
  { vapidKeys }: Pick<PushConfig, 'vapidKeys'>,
  dataDir: string,
): Promise<VapidKeys | undefined> {
  if (vapidKeys !== 'generated') return vapidKeys;
  const file = path.join(dataDir, KEY_FILE);
  const privateKey = await keptFile(file, () => generateKeys().privateKey).catch(
    ({ code, message }: NodeJS.ErrnoException) => {
      throw new ConfigError(`DATA_DIR cannot hold generated VAPID keys (${code ?? message}): set VAPID_PRIVATE_KEY`);
    },
  );
  const publicKey = publicKeyOf(privateKey);
  if (publicKey === undefined)
    throw new ConfigError(`${file} must hold a key of P-256: remove it, or set VAPID_PRIVATE_KEY`);
  return { publicKey, privateKey };
}

/** Tools reach the database of a folder here, whether a server runs on it or not. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { notedAddress } from './address.ts';
import { FolderInUse } from './lock.ts';
import { type Embedded, startEmbedded } from './start.ts';

/** How long another process that has the folder may take until it listens, or lets go: a start reads all that is there. And how often it is looked. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 100;

/**
 * Starts the database, or finds the one that another process of this user runs on the folder. Then `close` leaves that
 * alone.
 * @param password what a running database asks for, if it asks for something
 * @throws Error with a one-line message, as `startEmbedded`
 */
export async function reachEmbedded(dataDir: string, password?: string): Promise<Embedded> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    try {
      return await startEmbedded({ dataDir });
    } catch (error) {
      if (!(error instanceof FolderInUse) || waitedMs >= PATIENCE_MS) throw error;
    }
    const url = await notedAddress(join(dataDir, 'database'));
    if (url !== undefined) return { url: withPassword(url, password), close: async () => {} };
    await pause(LOOK_MS);
  }
}

/** The address with a password that was given for the port; any user name will do. */
function withPassword(url: string, password: string | undefined): string {
  if (password === undefined || url.includes('@')) return url;
  return url.replace('mongodb://', `mongodb://letsapp:${encodeURIComponent(password)}@`);
}

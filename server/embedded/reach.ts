/** Tools reach the database of a folder here, whether a server runs on it or not. */
import { join } from 'node:path';
import { FolderInUse } from './lock.ts';
import { socketIn, urlOfSocket } from './socket.ts';
import { type Embedded, startEmbedded } from './start.ts';

/**
 * Starts the database, or finds the running one by its socket. Then `close` leaves it alone.
 * @throws Error with a one-line message: as `startEmbedded`, or another process serves the folder and not on a socket
 */
export async function reachEmbedded(dataDir: string): Promise<Embedded> {
  try {
    return await startEmbedded({ dataDir });
  } catch (error) {
    const path = error instanceof FolderInUse ? await socketIn(join(dataDir, 'database')) : undefined;
    if (path !== undefined) return { url: urlOfSocket(path), close: async () => {} };
    if (!(error instanceof FolderInUse)) throw error;
    throw new Error(`${error.message}, which serves it on a port: name that by MONGODB_URL`);
  }
}

/** A server with a database that tests can look into, for whatever uploads leave behind. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { startDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

export interface ObservedServer {
  server: TestServer;
  /** Everything that uploads have left, anywhere. */
  traces(): Promise<Record<string, number | string[]>>;
  stop(): Promise<void>;
}

export async function startObserved(env: Record<string, string>): Promise<ObservedServer> {
  const database = await startDatabase();
  const client = await MongoClient.connect(database.url);
  const server = await startServer({ env: { MONGODB_URL: database.url, ...env } });
  const count = (name: string) => client.db().collection(name).countDocuments();
  return {
    server,
    traces: async () => ({
      media: await count('media'),
      files: await count('files'),
      pending: await count('pending_uploads'),
      stored: await count('uploads.files'),
      chunks: await count('uploads.chunks'),
      temporary: await temporaryFiles(server),
    }),
    async stop() {
      await server.stop();
      await client.close();
      await database.stop();
    },
  };
}

/** Names of the temporary files on a node. */
export function temporaryFiles({ dataDir }: TestServer): Promise<string[]> {
  return readdir(path.join(dataDir, 'uploads')).catch(() => []);
}

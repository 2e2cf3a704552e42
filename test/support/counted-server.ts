/** A server whose commands to the store are recorded. */
import { type CountingProxy, countingProxy } from './counting-proxy.ts';
import { startDatabase } from './database.ts';
import { startServer, type TestServer } from './server.ts';

export interface CountedServer {
  server: TestServer;
  proxy: CountingProxy;
  stop(): Promise<void>;
}

/** @param env further settings */
export async function startCountedServer(env: Record<string, string> = {}): Promise<CountedServer> {
  const database = await startDatabase();
  const proxy = await countingProxy(database.url);
  const server = await startServer({ env: { MONGODB_URL: proxy.url, ...env } });
  return {
    server,
    proxy,
    async stop() {
      await server.stop();
      await proxy.close();
      await database.stop();
    },
  };
}

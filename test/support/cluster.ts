/** Several real server processes over one database and one Redis, each with its own way to Redis. */
import { startDatabase, type TestDatabase } from './database.ts';
import { startProxy, type Way } from './proxy.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { startServer, type TestServer } from './server.ts';

export interface Cluster {
  urls: string[];
  nodes: TestServer[];
  redis: TestRedis;
  database: TestDatabase;
  /** Each node's way to Redis. */
  toRedis: Way[];
  stop(): Promise<void>;
}

/** Of all nodes of a cluster. */
export const CLUSTER_SECRET = 'the same secret on all nodes of one cluster';

/**
 * @param count how many servers
 * @param env further settings of each
 */
export async function startCluster(count: number, env: Record<string, string> = {}): Promise<Cluster> {
  const [database, redis] = await Promise.all([startDatabase(), startRedis()]);
  const toRedis = await Promise.all(Array.from({ length: count }, () => startProxy(redis.port)));
  const nodes = await Promise.all(
    toRedis.map(({ port }) => {
      const REDIS_URL = `redis://127.0.0.1:${port}`;
      return startServer({ env: { MONGODB_URL: database.url, REDIS_URL, JWT_SECRET: CLUSTER_SECRET, ...env } });
    }),
  );
  return {
    urls: nodes.map((node) => node.url),
    nodes,
    redis,
    database,
    toRedis,
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      await Promise.all(toRedis.map((proxy) => proxy.close()));
      await redis.stop();
      await database.stop();
    },
  };
}

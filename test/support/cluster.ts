/** Several real servers over one database and one Redis, each with its own way to Redis. */
import { startDatabase, type TestDatabase } from './database.ts';
import { startProxy, type Way } from './proxy.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { startServer, type TestServer } from './server.ts';
import type { StartOptions } from './settings.ts';

export interface Cluster<Server extends TestServer = TestServer> {
  urls: string[];
  nodes: Server[];
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
 * @param startNode `startServerProcess`, for nodes that are processes of their own
 */
export async function startCluster(count: number, env?: Record<string, string>): Promise<Cluster>;
export async function startCluster<Server extends TestServer>(
  count: number,
  env: Record<string, string>,
  startNode: (options: StartOptions) => Promise<Server>,
): Promise<Cluster<Server>>;
export async function startCluster(
  count: number,
  env: Record<string, string> = {},
  startNode: (options: StartOptions) => Promise<TestServer> = startServer,
): Promise<Cluster> {
  const [database, redis] = await Promise.all([startDatabase(), startRedis()]);
  const toRedis = await Promise.all(Array.from({ length: count }, () => startProxy(redis.port)));
  const nodes = await Promise.all(
    toRedis.map(({ port }) => {
      const REDIS_URL = `redis://127.0.0.1:${port}`;
      return startNode({ env: { MONGODB_URL: database.url, REDIS_URL, JWT_SECRET: CLUSTER_SECRET, ...env } });
    }),
  );
  return {
    urls: nodes.map((node) => node.url),
    nodes,
    redis,
    database,
    toRedis,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all(toRedis.map((proxy) => proxy.close()));
      await redis.stop();
      await database.stop();
    },
  };
}

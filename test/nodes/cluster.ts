/** Several real server processes over one database and one Redis. */
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startServer, type TestServer } from '../support/server.ts';

export interface Cluster {
  urls: string[];
  nodes: TestServer[];
  redis: TestRedis;
  database: TestDatabase;
  /** What a server of this cluster is started with. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

const SECRET = 'the same secret on all nodes of one cluster';

/**
 * @param count how many servers
 * @param env further settings of each
 * @param redis where another Redis, or a way to it, is to be used
 */
export async function startCluster(
  count: number,
  env: Record<string, string> = {},
  redisUrl?: (redis: TestRedis) => Promise<string>,
): Promise<Cluster> {
  const [database, redis] = await Promise.all([startDatabase(), startRedis()]);
  const all = {
    MONGODB_URL: database.url,
    REDIS_URL: (await redisUrl?.(redis)) ?? redis.url,
    JWT_SECRET: SECRET,
    ...env,
  };
  const nodes = await Promise.all(Array.from({ length: count }, () => startServer({ env: all })));
  return {
    urls: nodes.map((node) => node.url),
    nodes,
    redis,
    database,
    env: all,
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      await redis.stop();
      await database.stop();
    },
  };
}

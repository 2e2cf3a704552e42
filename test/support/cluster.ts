/** Several real server processes over one database and one Redis, each with its own ways to both. */
import { startDatabase, type TestDatabase } from './database.ts';
import { startProxy, type Way } from './proxy.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { startServer, type TestServer } from './server.ts';

export interface Cluster {
  urls: string[];
  nodes: TestServer[];
  redis: TestRedis;
  database: TestDatabase;
  /** Each node's way to Redis, and to the database. */
  toRedis: Way[];
  toDatabase: Way[];
  stop(): Promise<void>;
}

const SECRET = 'the same secret on all nodes of one cluster';

/**
 * @param count how many servers
 * @param env further settings of each
 */
export async function startCluster(count: number, env: Record<string, string> = {}): Promise<Cluster> {
  const [database, redis] = await Promise.all([startDatabase(), startRedis()]);
  const stored = new URL(database.url);
  const proxies = (port: number) => Promise.all(Array.from({ length: count }, () => startProxy(port)));
  const [toRedis, toDatabase] = await Promise.all([proxies(redis.port), proxies(Number(stored.port))]);
  const nodes = await Promise.all(
    toRedis.map((redisProxy, i) => {
      const url = new URL(stored);
      url.port = String(toDatabase[i]!.port);
      return startServer({
        env: {
          MONGODB_URL: url.toString(),
          REDIS_URL: `redis://127.0.0.1:${redisProxy.port}`,
          JWT_SECRET: SECRET,
          ...env,
        },
      });
    }),
  );
  return {
    urls: nodes.map((node) => node.url),
    nodes,
    redis,
    database,
    toRedis,
    toDatabase,
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      await Promise.all([...toRedis, ...toDatabase].map((proxy) => proxy.close()));
      await redis.stop();
      await database.stop();
    },
  };
}

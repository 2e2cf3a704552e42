/**
 * Three real server processes, a real Redis and one shared database, while dozens of clients write without pause and
 * the processes are killed, paused, drained and restarted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, registerMany } from '../support/client.ts';
import { startDatabaseAlone } from '../support/database.ts';
import { freePort, startRedis } from '../support/redis.ts';
import { startServerProcess } from '../support/server-process.ts';
import { CALL_TIMES } from './calls.ts';
import { type ChaosClient, startClient, type Target } from './client.ts';
import { FAULTS } from './faults.ts';
import { judge, type Verdict } from './verdict.ts';

const NODES = 3;
/** How long after the last fault everybody must be up to date, in milliseconds; heartbeats of dead nodes included. */
const SETTLE_MS = 6000;

export interface ChaosOptions {
  clients: number;
  /** The faults, in their order; each on the next node. */
  faults: string[];
  /** Between two faults, in milliseconds. */
  pauseMs: number;
  log(line: string): void;
}

export async function runChaos({ clients: count, faults, pauseMs, log }: ChaosOptions): Promise<Verdict> {
  const [database, redis] = await Promise.all([startDatabaseAlone(), startRedis()]);
  const ports = await Promise.all(Array.from({ length: NODES }, freePort));
  const environments = ports.map((port) => ({
    PORT: String(port),
    MONGODB_URL: database.url,
    REDIS_URL: redis.url,
    JWT_SECRET: 'one secret for all nodes of the chaos',
    ACCESS_TOKEN_TTL_S: '86400',
    ...CALL_TIMES,
  }));
  const nodes = await Promise.all(environments.map((env) => startServerProcess({ env })));
  const urls = nodes.map((node) => node.url);
  const clients: ChaosClient[] = [];
  try {
    const accounts = await registerMany(urls[0]!, count);
    const ids = accounts.map((account) => account.user._id);
    // Groups of eight, and pairs of neighbours.
    const groups: string[] = [];
    for (let i = 0; i < count; i += 8) {
      const maker = await connect(urls[0]!, accounts[i]!);
      const members = ids.slice(i, i + 8);
      const { group } = await maker.ok('group:create', { name: `group ${i}`, member_ids: members.slice(1) });
      groups.push(group._id);
      maker.close();
    }
    for (const [i, account] of accounts.entries()) {
      const peer = ids[i ^ 1] ?? ids[0]!;
      const targets: Target[] = [{ recipient_id: peer }, { group_id: groups[Math.floor(i / 8)]! }];
      clients.push(startClient(urls, account, targets));
    }
    await pause(1000);
    for (const [i, name] of faults.entries()) {
      log(`${name} (node ${i % NODES})`);
      await FAULTS[name]!({ nodes, redis, environments, log }, i % NODES);
      await pause(pauseMs);
    }
    await Promise.all(clients.map((client) => client.finish()));
    await pause(SETTLE_MS);
    return await judge(database.url, clients);
  } finally {
    for (const client of clients) client.close();
    await Promise.all(nodes.map((node) => node.kill()));
    await redis.stop();
    await database.stop();
  }
}

/** The verdict in lines. */
export function report(verdict: Verdict): string {
  return [
    `messages stored            ${verdict.messages}`,
    `acknowledged               ${verdict.acknowledged} over ${verdict.connections} connections`,
    `acknowledged messages lost ${verdict.lost}`,
    `doubled                    ${verdict.doubled}`,
    `out of order               ${verdict.outOfOrder}`,
    `gaps                       ${verdict.gaps}`,
    `clients unlike database    ${verdict.different}`,
    `calls                      ${verdict.calls}`,
    `calls left                 ${verdict.unended}`,
    `longest interruption       ${verdict.longestWaitMs} ms`,
    ...verdict.findings,
  ].join('\n');
}

/** Nodes restarted one after the other behind each load balancer of docs/deploy, while clients write to each other. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CALL_TIMES } from '../chaos/calls.ts';
import { type ChaosClient, startClient } from '../chaos/client.ts';
import { expectNothingWrong } from '../chaos/expect-nothing-wrong.ts';
import { FAULTS } from '../chaos/faults.ts';
import { judge, type Verdict } from '../chaos/verdict.ts';
import { connect, registerMany } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { freePort, startRedis, type TestRedis } from '../support/redis.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { LOAD_BALANCERS, type LoadBalancer, startLoadBalancer } from './load-balancers.ts';

/** Clients behind each load balancer. */
const CLIENTS = 2;
/** How many more messages each client has acknowledged before the next node is restarted, and before the end. */
const MESSAGES = 5;

let database: EmbeddedDatabase;
let redis: TestRedis;
let environments: Record<string, string>[];
const nodes: ServerProcess[] = [];
const balancers: LoadBalancer[] = [];

beforeAll(async () => {
  [database, redis] = await Promise.all([startEmbeddedDatabase(), startRedis()]);
  const ports = await Promise.all([freePort(), freePort()]);
  environments = ports.map((port) => ({
    PORT: String(port),
    MONGODB_URL: database.url,
    REDIS_URL: redis.url,
    JWT_SECRET: 'one secret for all nodes behind a load balancer',
    TRUST_PROXY: 'on',
    ...CALL_TIMES,
  }));
  nodes.push(...(await Promise.all(environments.map((env) => startServerProcess({ env })))));
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  balancers.push(...(await Promise.all(LOAD_BALANCERS.map((name) => startLoadBalancer(name, addresses)))));
});
afterAll(async () => {
  await Promise.all(balancers.map((balancer) => balancer.stop()));
  await Promise.all(nodes.map((node) => node.kill()));
  await redis.stop();
  await database.stop();
});

/** All clients write on: each has so many more messages acknowledged. */
async function allWriteOn(clients: ChaosClient[]): Promise<void> {
  const before = clients.map((client) => client.acknowledged.length);
  await expect
    .poll(() => Math.min(...clients.map((client, i) => client.acknowledged.length - before[i]!)), { timeout: 60_000 })
    .toBeGreaterThanOrEqual(MESSAGES);
}

/** The verdict once everybody was told everything, or after half a minute. */
async function settledVerdict(clients: ChaosClient[]): Promise<Verdict> {
  const until = Date.now() + 30_000;
  for (;;) {
    const verdict = await judge(database.url, clients);
    if ((verdict.gaps === 0 && verdict.different === 0) || Date.now() > until) return verdict;
    await pause(300);
  }
}

it('no message is lost, doubled or out of order while the nodes are restarted one after the other', async () => {
  const accounts = await registerMany(nodes[0]!.url, LOAD_BALANCERS.length * CLIENTS);
  const maker = await connect(nodes[0]!.url, accounts[0]!);
  const member_ids = accounts.slice(1).map(({ id }) => id);
  const { group } = await maker.ok('group:create', { name: 'everybody', member_ids });
  maker.close();
  const clients = accounts.map((account, i) => {
    const peer = accounts[i ^ 1]!.id;
    const targets = [{ recipient_id: peer }, { group_id: group._id }];
    // Load balancers spread addresses over the nodes, so that each has clients on both. Elsewhere there is but one.
    const source = process.platform === 'linux' ? `127.0.${i}.1` : undefined;
    return startClient([balancers[i % balancers.length]!.url], account, targets, source);
  });
  try {
    await allWriteOn(clients);
    for (const [i] of nodes.entries()) {
      await FAULTS['a node is drained']!({ nodes, redis, environments, log: () => {} }, i);
      await allWriteOn(clients);
    }
    await Promise.all(clients.map((client) => client.finish()));
    const verdict = await settledVerdict(clients);
    expectNothingWrong(verdict);
    // Each was connected to a node that went down.
    expect(Math.min(...clients.map(({ connections }) => connections.length))).toBeGreaterThan(1);
  } finally {
    for (const client of clients) client.close();
  }
});

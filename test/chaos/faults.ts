/** What is done to the processes while the clients write. */
import { setTimeout as pause } from 'node:timers/promises';
import type { TestRedis } from '../support/redis.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

export interface Victims {
  nodes: ServerProcess[];
  redis: TestRedis;
  /** What each node is started with: its port is among it. */
  environments: Record<string, string>[];
  log(line: string): void;
}

type Fault = (victims: Victims, node: number) => Promise<void>;

async function restart({ nodes, environments }: Victims, node: number): Promise<void> {
  nodes[node] = await startServerProcess({ env: environments[node]! });
}

export const FAULTS: Record<string, Fault> = {
  async 'a node is killed'(victims, node) {
    await victims.nodes[node]!.kill();
    await pause(500);
    await restart(victims, node);
  },
  async 'a node is paused'(victims, node) {
    victims.nodes[node]!.signal('SIGSTOP');
    await pause(4000);
    victims.nodes[node]!.signal('SIGCONT');
  },
  async 'a node is drained'(victims, node) {
    const code = await victims.nodes[node]!.stop();
    if (code !== 0) throw new Error(`a drained node ended with ${code}: ${victims.nodes[node]!.output()}`);
    await restart(victims, node);
  },
  async 'Redis is killed'({ redis }) {
    await redis.kill();
    await pause(2000);
    await redis.restart();
  },
  async 'Redis is paused'({ redis }) {
    redis.signal('SIGSTOP');
    await pause(4000);
    redis.signal('SIGCONT');
  },
  async 'Redis and a node are killed'(victims, node) {
    await victims.redis.kill();
    await pause(500);
    await victims.nodes[node]!.kill();
    await pause(1000);
    await victims.redis.restart();
    await restart(victims, node);
  },
};

/** The load balancers of docs/deploy, each with its sample, before nodes on this machine and on a port without TLS. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { removeAtExit } from '../support/program.ts';
import { freePort } from '../support/redis.ts';

export interface LoadBalancer {
  url: string;
  stop(): Promise<void>;
}

export type LoadBalancerName = keyof typeof KINDS;

interface Kind {
  sample: string;
  /** The whole configuration: the sample, where it listens on `port` of this machine alone. */
  configure(sample: string, port: number): string;
  args(folder: string, file: string): string[];
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);

const KINDS = {
  nginx: {
    sample: 'nginx.conf',
    configure: (sample, port) => {
      const server = sample.replace('listen 443 ssl http2', `listen 127.0.0.1:${port}`).replaceAll(/^ *ssl_.*$/gm, '');
      const http = `access_log off; ${TEMPORARY.join(' ')}\n${server}`;
      return `daemon off; pid pid; error_log stderr crit; events {} http { ${http}\n}`;
    },
    args: (folder, file) => ['-p', folder, '-c', file, '-e', 'stderr'],
  },
  haproxy: {
    sample: 'haproxy.cfg',
    configure: (sample, port) =>
      sample
        .replace(/^resolvers docker\n.*\n/m, '')
        .replace(' resolvers docker init-addr last,libc,none', '')
        .replace('bind :3000', `bind 127.0.0.1:${port}`),
    args: (_folder, file) => ['-db', '-q', '-f', file],
  },
  caddy: {
    sample: 'Caddyfile',
    // Its first block are options of the whole program: it would listen for its own administration, too.
    configure: (sample, port) =>
      `{\n\tadmin off\n\tlog {\n\t\tlevel PANIC\n\t}\n}\n${sample.replace('chat.example.org', `http://127.0.0.1:${port}`)}`,
    args: (_folder, file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
} satisfies Record<string, Kind>;

export const LOAD_BALANCERS = Object.keys(KINDS) as LoadBalancerName[];

/** @param nodes the two nodes, as host and port */
export async function startLoadBalancer(name: LoadBalancerName, nodes: string[]): Promise<LoadBalancer> {
  const kind: Kind = KINDS[name];
  const folder = mkdtempSync(path.join(tmpdir(), `letsapp-${name}-`));
  removeAtExit(folder);
  const port = await freePort();
  const sample = readFileSync(path.resolve(import.meta.dirname, '../../docs/deploy', kind.sample), 'utf8')
    .replace('server-1:3000', nodes[0]!)
    .replace('server-2:3000', nodes[1]!);
  const file = path.join(folder, kind.sample);
  writeFileSync(file, kind.configure(sample, port));
  const child = spawn(name, kind.args(folder, file), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // Killed, nginx would leave its workers behind.
  const end = () => void child.kill('SIGTERM');
  process.once('exit', end);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const { status } = await fetch(`${url}/healthz`).catch((cause) => {
      throw new Error(`${name} does not listen: ${said}`, { cause });
    });
    expect(status, said).toBe(200);
  });
  return {
    url,
    async stop() {
      end();
      await exited;
      process.off('exit', end);
    },
  };
}

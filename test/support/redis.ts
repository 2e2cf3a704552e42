/** A real Redis as a child process: a free port, a temporary folder, nothing kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { killAtExit, removeAtExit } from './program.ts';

export interface TestRedis {
  url: string;
  port: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** @param options further settings, as on the command line of `redis-server` */
export async function startRedis(options: string[] = []): Promise<TestRedis> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-redis-'));
  removeAtExit(directory);
  const port = await freePort();
  let child: ChildProcess;
  let exited: Promise<void>;

  async function start(): Promise<void> {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    child = spawn('redis-server', [...settings, '--dir', directory, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    killAtExit(child);
    exited = new Promise((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      void exited.then(() => reject(new Error('redis-server ended')));
      child.stdout!.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('Ready to accept connections')) resolve();
      });
    });
  }

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    restart: start,
    signal: (signal) => void child.kill(signal),
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

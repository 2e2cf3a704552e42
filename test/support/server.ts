/** A real server as a child process, on a free port and a temporary data folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { newDatabaseUrl, outerUrl } from './outer-database.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const START_MS = 60_000;

export interface TestServer {
  url: string;
  dataDir: string;
  pid: number;
  /** Everything that it printed. */
  output(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export interface StartOptions {
  env?: Record<string, string>;
  /** Keeps the data of an earlier server. */
  dataDir?: string;
  /** As `npm run dev` runs it. */
  fromSource?: boolean;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  // A program may write until it is gone.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
});
// How Vitest ends its workers, which half a second later are killed. By default the above would not be done.
process.once('SIGTERM', () => process.exit());

/** Ends a program with the worker, at the latest. */
export function killAtExit(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** Removes a folder once the worker has ended, and the programs that it started have. */
export function removeAtExit(folder: string): void {
  folders.add(folder);
}

/**
 * Runs one of the project's programs and resolves once a line `listening on URL` was printed. The server's run bundled,
 * as `npm start` and the image do: from source each would first spend two seconds of a core. `npm run build` makes them.
 * @param root the checkout whose program it is
 */
export async function startProgram(
  entry: string,
  env: Record<string, string>,
  fromSource = !entry.startsWith('server/'),
  root = ROOT,
): Promise<{ child: ChildProcess; url: string; output(): string; exited: Promise<number | null> }> {
  const program = fromSource ? ['--import', 'tsx', entry] : [`dist/${entry.replace(/\.ts$/, '.js')}`];
  const child = spawn(process.execPath, program, {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'test', VITEST: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  killAtExit(child);
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${entry} does not listen: ${output}`)), START_MS);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listening on (\S+)/.exec(output)?.[1];
      if (found) {
        clearTimeout(timer);
        resolve(found);
      }
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`${entry} ended with ${code}: ${output}`));
    });
  });
  return { child, url, output: () => output, exited };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  removeAtExit(folder);
  return folder;
}

/**
 * Starts a server; the caller stops it (`afterAll`). With `MONGODB_URL` in the environment of the tests, each server
 * gets a database of its own there.
 */
export async function startServer({ env = {}, dataDir, fromSource }: StartOptions = {}): Promise<TestServer> {
  const directory = dataDir ?? (await temporaryFolder());
  const settings = {
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: directory,
    RATE_LIMITS: 'off',
    BCRYPT_COST: '4',
    LOG_LEVEL: 'warn',
    PRESENCE_GRACE_MS: '300',
    ...(outerUrl && !env.MONGODB_URL ? { MONGODB_URL: ownDatabase(outerUrl, directory) } : {}),
    ...env,
  };
  const { child, url, output, exited } = await startProgram('server/main.ts', settings, fromSource);
  return {
    url,
    dataDir: directory,
    pid: child.pid!,
    output,
    async stop() {
      child.kill('SIGTERM');
      const code = await exited;
      if (!dataDir) await rm(directory, { recursive: true, force: true });
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    signal: (signal) => void child.kill(signal),
  };
}

let shared: Promise<TestServer> | undefined;

/**
 * A server with the usual settings for all the test files of a worker (`isolate: false` in vitest.config.ts). It is there
 * until the worker ends: whoever uses it changes nothing that others would see, and never stops it.
 */
export function sharedServer(): Promise<TestServer> {
  if (shared) return shared;
  shared = startServer();
  shared.catch(() => {
    shared = undefined;
  });
  return shared;
}

/** Starts a server for one test only. */
export async function startServerForTest(options: StartOptions = {}): Promise<TestServer> {
  const server = await startServer(options);
  onTestFinished(() => server.kill());
  return server;
}

/** The database of a data folder: a server that comes back to its folder finds its data. */
const databaseUrls = new Map<string, string>();

function ownDatabase(url: string, directory: string): string {
  const known = databaseUrls.get(directory) ?? newDatabaseUrl(url);
  databaseUrls.set(directory, known);
  return known;
}

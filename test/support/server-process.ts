/** A real server as a process of its own: for tests of what it prints, of signals and of its death. */
import { rm } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { newDatabaseUrl, outerUrl } from './outer-database.ts';
import { startProgram, temporaryFolder } from './program.ts';
import { type StartOptions, usualSettings } from './settings.ts';

export interface ServerProcess {
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

export interface ProcessOptions extends StartOptions {
  /** Keeps the data of an earlier server. */
  dataDir?: string;
  /** As `npm run dev` runs it. */
  fromSource?: boolean;
  /** The checkout whose server it is; this one by default. */
  root?: string | undefined;
}

/**
 * Starts a server on its embedded database; the caller stops it (`afterAll`). With `MONGODB_URL` in the environment of the
 * tests, each server gets a database of its own there.
 */
export async function startServerProcess({
  env = {},
  dataDir,
  fromSource,
  root,
}: ProcessOptions = {}): Promise<ServerProcess> {
  const directory = dataDir ?? (await temporaryFolder());
  const settings = {
    ...usualSettings(directory),
    ...(outerUrl && !env.MONGODB_URL ? { MONGODB_URL: ownDatabase(outerUrl, directory) } : {}),
    ...env,
  };
  const { child, url, output, exited } = await startProgram('server/main.ts', settings, fromSource, root);
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

/** Starts a server for one test only. */
export async function startProcessForTest(options: ProcessOptions = {}): Promise<ServerProcess> {
  const server = await startServerProcess(options);
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

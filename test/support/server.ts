/** A real server on a free port, with a database and a folder of its own, in the process that hosts those of a worker. */
import { rm } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { startDatabase } from './database.ts';
import { startInHost } from './host/host.ts';
import { temporaryFolder } from './program.ts';
import { type StartOptions, usualSettings } from './settings.ts';

export interface TestServer {
  url: string;
  dataDir: string;
  /** As SIGTERM does; resolves when it has ended. */
  stop(): Promise<unknown>;
}

/** Starts a server; the caller stops it (`afterAll`). */
export async function startServer({ env = {} }: StartOptions = {}): Promise<TestServer> {
  const dataDir = await temporaryFolder();
  const database = env.MONGODB_URL ? undefined : await startDatabase();
  const MONGODB_URL = database?.url ?? env.MONGODB_URL!;
  const { url, stop } = await startInHost({ NODE_ENV: 'test', ...usualSettings(dataDir), ...env, MONGODB_URL });
  return {
    url,
    dataDir,
    async stop() {
      await stop();
      await database?.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
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
  onTestFinished(async () => void (await server.stop()));
  return server;
}

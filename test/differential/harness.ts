import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Collection, Db, Document, MongoServerError } from 'mongodb';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect } from 'vitest';

export interface DatabaseProcess {
  child: ChildProcess;
  url: string;
}

/** Starts the embedded database, compiled, on any free port. */
export async function startDatabase(dataDir: string, env: Record<string, string> = {}): Promise<DatabaseProcess> {
  const child = spawn(process.execPath, ['dist/server/embedded/main.js'], {
    env: { ...process.env, DATA_DIR: dataDir, DATABASE_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /^listening on (mongodb:\S+)$/.exec(line)?.[1];
    if (url !== undefined) return { child, url };
  }
  throw new Error(`the database ended with exit code ${child.exitCode}`);
}

/** Sends the process a signal and waits until it has exited. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/**
 * A database for the tests of one file: on the server that MONGODB_URL names, or on an embedded one in a temporary
 * folder. Each file gets a database of its own, which is dropped at the end.
 */
export function useDatabase(): { db: Db; client: MongoClient; fresh(): Collection<Document> } {
  const used = {} as { db: Db; client: MongoClient; fresh(): Collection<Document> };
  let folder: string | undefined;
  let process_: DatabaseProcess | undefined;
  let number = 0;
  beforeAll(async () => {
    let url = process.env.MONGODB_URL;
    if (url === undefined) {
      folder = await mkdtemp(join(tmpdir(), 'letsapp-database-'));
      process_ = await startDatabase(folder);
      url = process_.url;
    }
    used.client = await new MongoClient(url).connect();
    used.db = used.client.db(`differential_${randomBytes(6).toString('hex')}`);
    used.fresh = () => used.db.collection(`c${++number}`);
  });
  afterAll(async () => {
    await used.db?.dropDatabase();
    await used.client?.close();
    if (process_ !== undefined) await stop(process_.child);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  return used;
}

/** The error with which the action is refused. */
export async function refusal(action: Promise<unknown>): Promise<MongoServerError> {
  return action.then(
    () => expect.unreachable('the action was not refused'),
    (error) => error,
  );
}

/** The names of a plan's stages from the top down, including its branches. */
export function stages(plan: Document): string[] {
  const inner = [plan.inputStage, ...(plan.inputStages ?? [])].filter((stage) => stage !== undefined);
  return [plan.stage, ...inner.flatMap(stages)];
}

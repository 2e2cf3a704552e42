/** Databases for tests: the embedded one as a program of its own, or a real MongoDB where `MONGODB_URL` names one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dropDatabase, newDatabaseUrl, outerUrl } from './outer-database.ts';
import { type Program, removeAtExit, startProgram } from './program.ts';

export interface TestDatabase {
  url: string;
  stop(): Promise<void>;
}

/** The embedded database, which can be killed and come back. */
export interface EmbeddedDatabase extends TestDatabase {
  folder: string;
  pid(): number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

let shared: Promise<EmbeddedDatabase> | undefined;

/** A database of its own for the caller, on a server that all test files of a worker share. */
export async function startDatabase(): Promise<TestDatabase> {
  return databaseOn(outerUrl ?? (await sharedDatabase()).url);
}

/** A database of its own for the caller, on a server that nobody else uses, unless `MONGODB_URL` names one. */
export async function startDatabaseAlone(): Promise<TestDatabase> {
  return outerUrl ? databaseOn(outerUrl) : startEmbeddedDatabase();
}

function databaseOn(server: string): TestDatabase {
  const url = newDatabaseUrl(server);
  return { url, stop: () => dropDatabase(url) };
}

function sharedDatabase(): Promise<EmbeddedDatabase> {
  shared ??= startEmbeddedDatabase().then((database) => {
    removeAtExit(database.folder);
    return database;
  });
  return shared;
}

/**
 * The embedded database, whatever `MONGODB_URL` says: for tests that take it away.
 * @param root the checkout whose database it is; this one by default
 */
export async function startEmbeddedDatabase(root?: string): Promise<EmbeddedDatabase> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-database-'));
  async function start(DATABASE_PORT: string): Promise<Program> {
    const program = await startProgram('server/embedded/main.ts', { DATABASE_PORT, DATA_DIR: directory }, false, root);
    const { child, exited, output } = program;
    void exited.then((code) => {
      // The tests that fail by it would not tell why.
      if (!child.killed) console.error(`a database of the tests ended with ${code ?? child.signalCode}: ${output()}`);
    });
    return program;
  }
  let program = await start('0');
  const { url } = program;

  async function kill(): Promise<void> {
    program.child.kill('SIGKILL');
    await program.exited;
  }
  return {
    url,
    folder: directory,
    pid: () => program.child.pid!,
    kill,
    async restart() {
      program = await start(new URL(url).port);
    },
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

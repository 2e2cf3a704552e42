/** Databases for tests: the embedded one as a program of its own, or a real MongoDB where `MONGODB_URL` names one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dropDatabase, newDatabaseUrl, outerUrl } from './outer-database.ts';
import { startProgram } from './server.ts';

export interface TestDatabase {
  url: string;
  stop(): Promise<void>;
}

/** The embedded database, which can be killed and come back. */
export interface EmbeddedDatabase extends TestDatabase {
  pid(): number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

/** A database of its own for the caller, who stops it. */
export async function startDatabase(): Promise<TestDatabase> {
  if (!outerUrl) return startEmbeddedDatabase();
  const url = newDatabaseUrl(outerUrl);
  return { url, stop: () => dropDatabase(url) };
}

/** The embedded database, whatever `MONGODB_URL` says: for tests that take it away. */
export async function startEmbeddedDatabase(): Promise<EmbeddedDatabase> {
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-database-'));
  const start = (port: string) => startProgram('server/embedded/main.ts', { DATABASE_PORT: port, DATA_DIR: directory });
  let program = await start('0');
  const { url } = program;

  async function kill(): Promise<void> {
    program.child.kill('SIGKILL');
    await program.exited;
  }
  return {
    url,
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

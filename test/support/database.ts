/** The embedded development database alone, for several servers to share. With `MONGODB_URL` set, a real MongoDB. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startProgram } from './server.ts';

export interface TestDatabase {
  url: string;
  stop(): Promise<void>;
}

export async function startDatabase(): Promise<TestDatabase> {
  const outer = process.env.MONGODB_URL;
  if (outer) {
    const url = new URL(outer);
    url.pathname = `/letsapp_test_${randomBytes(6).toString('hex')}`;
    return { url: url.toString(), stop: async () => {} };
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-database-'));
  const { child, url, exited } = await startProgram('server/embedded/main.ts', {
    DATABASE_PORT: '0',
    DATA_DIR: directory,
  });
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

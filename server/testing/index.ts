/** `letsapp/testing`: a real server for an app's own tests. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, type ClientOptions, connect, type Self, session } from '../../shared/client/index.ts';

const START_MS = 60_000;

export interface TestUser {
  user: Self;
  /** For `connect`. */
  getToken: () => Promise<string>;
  /** Connects a client of the user; it is closed with the server, if not before. */
  client(options?: Partial<ClientOptions>): Client;
}

export interface TestLetsApp {
  url: string;
  users: {
    /**
     * Makes a user.
     * @param name the username, and shown as the full name; without it a random one
     */
    create(name?: string): Promise<TestUser>;
  };
  /** Closes the clients, stops the server and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a real server on a free port and a temporary folder, without rate limits. It is gone with this process.
 * @param env further environment variables of the server; this process's own settings do not count
 * @throws Error with what the server said, where it does not start
 */
export async function startLetsApp({ env = {} }: { env?: Record<string, string> } = {}): Promise<TestLetsApp> {
  const folder = await mkdtemp(join(tmpdir(), 'letsapp-'));
  const child = startServer(folder, env);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const clients = new Set<Client>();
  let url: string;
  try {
    url = await listening(child);
  } catch (error) {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url,
    users: { create: (name) => createUser(url, clients, name) },
    async stop() {
      await Promise.all([...clients].map((client) => client.close()));
      child.ref();
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startServer(folder: string, env: Record<string, string>) {
  const isSource = import.meta.url.endsWith('.ts');
  const program = new URL(
    isSource ? '../../dist/server/testing/child.js' : '../server/testing/child.js',
    import.meta.url,
  );
  const { PATH, HOME, TMPDIR, TEMP, SystemRoot, TZ } = process.env;
  const inherited = Object.entries({ PATH, HOME, TMPDIR, TEMP, SystemRoot, TZ }).filter(([, value]) => value);
  const child = fork(fileURLToPath(program), [], {
    env: {
      ...Object.fromEntries(inherited),
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      LETSAPP_TEST_FOLDER: folder,
      RATE_LIMITS: 'off',
      BCRYPT_COST: '4',
      LOG_LEVEL: 'error',
      MIN_FREE_BYTES: '0',
      ...env,
    },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  // The tests may end without `stop`.
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref?(): void }).unref?.();
  return child;
}

/** @returns where the server listens */
function listening(child: ReturnType<typeof startServer>): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => reject(new Error(`the server ${why}: ${said.trim()}`));
    const timer = setTimeout(fail, START_MS, `is not ready after ${START_MS} ms`);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
    });
    child.stdout!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
      const found = /listening on (\S+)/.exec(said)?.[1];
      if (!found) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
}

async function createUser(url: string, clients: Set<Client>, name?: string): Promise<TestUser> {
  const random = `user_${randomBytes(6).toString('hex')}`;
  const username = name !== undefined && /^[A-Za-z0-9_.-]{3,32}$/.test(name) ? name : random;
  const { register, getToken } = session(url);
  const { user } = await register({
    username,
    email: `${random}@example.org`,
    password: `secret of ${random}`,
    ...(name === undefined ? {} : { full_name: name }),
  });
  return {
    user,
    getToken: () => getToken(),
    client(options = {}) {
      const client = connect({ url, getToken, ...options });
      clients.add(client);
      return client;
    },
  };
}

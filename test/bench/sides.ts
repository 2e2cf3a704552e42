/** The two things that are compared, behind one face: the same load is put on both. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Account, http } from '../support/client.ts';
import { type EmbeddedDatabase, startDatabaseAlone, startEmbeddedDatabase } from '../support/database.ts';
import { outerUrl } from '../support/outer-database.ts';
import { removeAtExit, startProgram } from '../support/program.ts';
import { memoryOf, TELL_MEMORY } from './memory-in-use.ts';
import { cpuMs, writtenBytes } from './process-usage.ts';

const NODE_OPTIONS = TELL_MEMORY;

/** Milliseconds of processor time. */
export interface Cpu {
  server: number;
  /** 0 where there is none, or it is not a process of this machine. */
  store: number;
}

export interface Side {
  url: string;
  /** How the user with this number says who it is. */
  auth(user: number): Record<string, unknown>;
  /** What a user is called in a command. */
  id(user: number): string;
  /** The event after which a connection is ready. */
  ready: string;
  /** Spent since the start. */
  cpu(): Promise<Cpu>;
  /** Memory in use by the process that serves, after a collection of its garbage, in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

export interface LetsApp extends Side {
  databaseUrl: string;
  accounts: Account[];
  /** Registers users until there are so many. */
  populate(users: number): Promise<void>;
  /** Starts the server anew, on the same database. */
  restart(env?: Record<string, string>): Promise<void>;
  /** One of the figures at `/metrics`. */
  metric(name: string): Promise<number>;
  /** Bytes that the store has written, to files and replies; NaN where it is not a process of this machine. */
  written(): Promise<number>;
}

export async function startRelay(): Promise<Side> {
  const program = await startProgram('test/bench/relay.ts', { NODE_OPTIONS });
  return {
    url: program.url,
    auth: (user) => ({ user: String(user) }),
    id: String,
    ready: 'connect',
    cpu: async () => ({ server: await cpuMs(program.child.pid!), store: 0 }),
    memory: () => memoryOf(program),
    async stop() {
      program.child.kill();
      await program.exited;
    },
  };
}

export interface LetsAppOptions {
  /** Gives the URL by which the server reaches the database. */
  wayTo?(databaseUrl: string): Promise<string>;
  /** The checkout whose server and embedded database it is; this one by default. */
  root?: string | undefined;
}

/** The server and its database, each in a process of its own. */
export async function startLetsApp({ wayTo = async (url) => url, root }: LetsAppOptions = {}): Promise<LetsApp> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-bench-'));
  removeAtExit(dataDir);
  const database = outerUrl ? await startDatabaseAlone() : await startEmbeddedDatabase(root);
  const embedded = 'pid' in database ? (database as EmbeddedDatabase) : undefined;
  if (embedded) removeAtExit(embedded.folder);
  const MONGODB_URL = await wayTo(database.url);
  const start = (env: Record<string, string> = {}) =>
    startProgram('server/main.ts', { ...settings(dataDir), MONGODB_URL, ...env }, false, root);
  let server = await start();
  const accounts: Account[] = [];
  return {
    get url() {
      return server.url;
    },
    databaseUrl: database.url,
    accounts,
    auth: (user) => ({ token: accounts[user]!.access_token }),
    id: (user) => accounts[user]!.id,
    ready: 'session:ready',
    cpu: async () => ({
      server: await cpuMs(server.child.pid!),
      store: embedded ? await cpuMs(embedded.pid()) : 0,
    }),
    memory: () => memoryOf(server),
    written: async () => (embedded ? writtenBytes(embedded.pid()) : Number.NaN),
    populate: (users) => populate(server.url, accounts, users),
    async restart(env) {
      server.child.kill();
      await server.exited;
      server = await start(env);
    },
    async metric(name) {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    },
    async stop() {
      server.child.kill();
      await server.exited;
      await database.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const settings = (dataDir: string) => ({
  PORT: '0',
  DATA_DIR: dataDir,
  RATE_LIMITS: 'off',
  BCRYPT_COST: '4',
  LOG_LEVEL: 'warn',
  ACCESS_TOKEN_TTL_S: '86400',
  NODE_OPTIONS,
});

/** Several runs on one database do not meet. */
const run = Date.now().toString(36);
let serial = 0;

async function populate(url: string, accounts: Account[], users: number): Promise<void> {
  const register = async (number: number) => {
    serial++;
    const username = `bench-${run}-${serial}`;
    const body = { username, email: `${username}@example.org`, password: 'Correct-horse-9' };
    const { status, json } = await http(url, 'POST', '/auth/register', { body });
    if (status !== 201) throw new Error(`refused: ${JSON.stringify(json)}`);
    accounts[number] = { ...json, ...body, id: json.user._id };
  };
  for (let at = accounts.length; at < users; at += 20) {
    await Promise.all(Array.from({ length: Math.min(20, users - at) }, (_, i) => register(at + i)));
  }
}

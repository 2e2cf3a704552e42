/** The two things that are compared, behind one face: the same load is put on both. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { type Account, http } from '../support/client.ts';
import { startDatabaseAlone } from '../support/database.ts';
import { startProgram } from '../support/server.ts';
import { openReady } from '../support/sockets.ts';

export interface Side {
  url: string;
  /** Connects a device of the user with this number. */
  connect(user: number): Promise<Socket>;
  send(socket: Socket, toUser: number, text: string, answered: (ok: boolean) => void): void;
  /** The event that a recipient is sent. */
  event: string;
  /** Memory in use by the process that serves, after a collection of its garbage, in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Loaded into both programs: on SIGUSR2 it collects garbage and prints what is in use. What lies in memory uncollected
 * tells of the past and not of idle connections.
 */
const TELL_MEMORY = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    process.on('SIGUSR2', () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      console.log('memory ' + (heapUsed + external));
    });
  }`;
const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(TELL_MEMORY)}`;

/** Asks a program that was started with these options. */
async function memoryOf({ child, output }: { child: ChildProcess; output(): string }): Promise<number> {
  const told = () => [...output().matchAll(/^memory (\d+)$/gm)];
  const before = told().length;
  child.kill('SIGUSR2');
  while (told().length === before) await sleep(20);
  return Number(told().at(-1)![1]);
}

export async function startRelay(): Promise<Side> {
  const program = await startProgram('test/bench/relay.ts', { NODE_OPTIONS });
  const { child, url, exited } = program;
  return {
    url,
    connect: (user) => openReady(url, { user }, 'connect'),
    send: (socket, toUser, content, answered) => {
      socket.emit('send', { to: `user:${toUser}`, content }, () => answered(true));
    },
    event: 'message',
    memory: () => memoryOf(program),
    async stop() {
      child.kill();
      await exited;
    },
  };
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
}

/** The server and its database, each in a process of its own. */
export async function startLetsApp(): Promise<LetsApp> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'letsapp-bench-'));
  const database = await startDatabaseAlone();
  const databaseUrl = database.url;
  const start = (env: Record<string, string> = {}) =>
    startProgram('server/main.ts', {
      PORT: '0',
      DATA_DIR: dataDir,
      MONGODB_URL: databaseUrl,
      RATE_LIMITS: 'off',
      BCRYPT_COST: '4',
      LOG_LEVEL: 'warn',
      ACCESS_TOKEN_TTL_S: '86400',
      NODE_OPTIONS,
      ...env,
    });
  let server = await start();
  const accounts: Account[] = [];
  const run = Date.now().toString(36);

  const side: LetsApp = {
    get url() {
      return server.url;
    },
    databaseUrl,
    accounts,
    connect: (user) => openReady(server.url, { token: accounts[user]!.access_token }, 'session:ready'),
    send: (socket, toUser, content, answered) => {
      const payload = { recipient_id: accounts[toUser]!.id, content };
      socket.emit('message:send', payload, (answer: { ok: boolean }) => answered(answer.ok));
    },
    event: 'message:new',
    memory: () => memoryOf(server),
    async populate(users) {
      const register = async (number: number) => {
        const username = `bench-${run}-${number}`;
        const body = { username, email: `${username}@example.org`, password: 'Correct-horse-9' };
        const { status, json } = await http(server.url, 'POST', '/auth/register', { body });
        if (status !== 201) throw new Error(`refused: ${JSON.stringify(json)}`);
        accounts[number] = { ...json, ...body, id: json.user._id };
      };
      for (let at = accounts.length; at < users; at += 20) {
        await Promise.all(Array.from({ length: Math.min(20, users - at) }, (_, i) => register(at + i)));
      }
    },
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
  return side;
}

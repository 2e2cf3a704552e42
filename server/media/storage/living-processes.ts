/**
 * Which of the processes that use a data folder are alive. Each listens on a Unix socket in it, which the operating
 * system closes with the process, however that ends: a socket that refuses connections belongs to nobody any more.
 * Unlike process ids this holds between containers that share a volume, and reused ids do no harm.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';

/** The most bytes of a socket's path on every system; Linux has 107. */
const MAX_PATH = 103;
/** A socket refuses for a moment before it listens. Milliseconds. */
const JUST_MADE_MS = 60_000;
/** Begins the names of processes that could not listen: nobody can tell when they are gone. */
const UNKNOWN = 'f'.repeat(8);

export interface LivingProcesses {
  /** @returns this process's name, hexadecimal, which no other process has. From then on it counts as living */
  ownName(): Promise<string>;
  /** Whether the process of that name has certainly ended. One of another machine or an earlier boot may be alive. */
  isGone(name: string): Promise<boolean>;
  /** Removes the sockets of processes that are gone. */
  cleanUp(now: Date): Promise<void>;
  /** Ends this process's name. */
  close(): Promise<void>;
}

/** @param folder for the sockets; created if missing */
export function createLivingProcesses(folder: string): LivingProcesses {
  const machine = bootOf();
  let announced: Promise<{ name: string; server?: Server }> | undefined;

  async function announce() {
    const random = randomBytes(6).toString('hex');
    const name = `${machine}${random}`;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return { name, server: await listen(path.join(folder, name)) };
    } catch {
      return { name: `${UNKNOWN}${random}` };
    }
  }

  async function isGone(name: string): Promise<boolean> {
    return name.startsWith(machine) && (await isClosed(path.join(folder, name)));
  }

  return {
    async ownName() {
      announced ??= announce();
      return (await announced).name;
    },
    isGone,
    async cleanUp(now) {
      for (const name of await readdir(folder).catch(() => [])) {
        const file = path.join(folder, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
        if (now.getTime() - mtimeMs > JUST_MADE_MS && (await isGone(name))) await rm(file, { force: true });
      }
    },
    async close() {
      const { server } = (await announced) ?? {};
      // Removes the socket as well.
      await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    },
  };
}

/** Names the running system: two that share a folder over the network do not see each other's processes. */
function bootOf(): string {
  let boot = hostname();
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  } catch {
    // Not Linux.
  }
  return createHash('sha256').update(boot).digest('hex').slice(0, UNKNOWN.length);
}

/** @throws Error where sockets cannot be: the path is too long, or the file system knows none */
function listen(file: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(shortest(file), () => resolve(server));
  });
}

/** Whether nobody listens on a socket. */
function isClosed(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(shortest(file));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' || code === 'ENOENT'));
  });
}

/** @throws Error for a path that no socket can have */
function shortest(file: string): string {
  const relative = path.relative('', file);
  const shorter = relative.length < file.length ? relative : file;
  if (Buffer.byteLength(shorter) > MAX_PATH) throw new Error('the path is too long for a socket');
  return shorter;
}

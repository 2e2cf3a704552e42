import { chmod } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Credentials } from './auth/scram.ts';
import { createSession, type Session } from './auth/session.ts';
import { errorReply, execute } from './commands/execute.ts';
import type { Engine } from './storage/engine.ts';
import { MAX_MESSAGE } from './wire/format.ts';
import { readMessage } from './wire/message.ts';
import { writeError, writeReply } from './wire/reply.ts';
import { createSplitter } from './wire/splitter.ts';

/** The longest message of a client that has not authenticated, in bytes. */
const LONGEST_GREETING = 64 * 1024;

/** A Unix socket for its owner alone, or a port of a network interface (0 for any free one). */
export type Address = { path: string } | { host: string; port: number };

export interface DatabaseServer {
  /** 0 on a Unix socket. */
  port: number;
  /** Answers the commands that have arrived, then closes the connections. */
  close(): Promise<void>;
}

/**
 * Listens for drivers.
 * @param credentials what clients must know; none: everyone may do everything
 * @throws what `net.Server.listen` reports, for an address that is taken or not allowed
 */
export async function listen(
  engine: Engine,
  address: Address,
  credentials: Credentials | undefined,
): Promise<DatabaseServer> {
  const connections = new Map<Socket, Connection>();
  const server = createServer((socket) => {
    connections.set(socket, serve(engine, socket, createSession(credentials)));
    socket.on('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  if ('path' in address) await chmod(address.path, 0o600);
  return {
    port: portOf(server),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all(
        [...connections].map(async ([socket, connection]) => {
          socket.pause();
          await connection.idle();
          socket.end();
          socket.destroySoon();
        }),
      );
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Connection {
  /** Resolves when all commands that have arrived are answered. */
  idle(): Promise<void>;
}

/** Serves one connection. Its commands run one after the other, as in MongoDB. */
function serve(engine: Engine, socket: Socket, session: Session): Connection {
  const split = createSplitter(() => (session.isAuthenticated() ? MAX_MESSAGE : LONGEST_GREETING));
  let tail: Promise<void> = Promise.resolve();
  socket.setNoDelay(true);
  // A broken connection closes by itself. The commands that it sent are carried out all the same.
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const bytes of split(chunk)) tail = tail.then(() => answer(engine, socket, session, bytes));
    } catch {
      socket.destroy();
    }
  });
  return { idle: () => tail };
}

async function answer(engine: Engine, socket: Socket, session: Session, bytes: Buffer): Promise<void> {
  if (socket.destroyed) return;
  try {
    const message = readMessage(bytes);
    const reply = await execute(engine, message.request, session);
    if (!message.isSilent) await send(socket, writeReply(message, reply));
  } catch (error) {
    const reply = writeError(bytes, errorReply(error));
    if (reply !== undefined) socket.write(reply);
    socket.destroySoon();
  }
}

/** Waits for a slow reader, so that a connection holds one reply in memory at most. */
function send(socket: Socket, bytes: Buffer): Promise<void> | undefined {
  if (socket.destroyed || socket.write(bytes)) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

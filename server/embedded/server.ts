import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { errorReply, execute } from './commands/execute.ts';
import type { Engine } from './storage/engine.ts';
import { readMessage } from './wire/message.ts';
import { writeError, writeReply } from './wire/reply.ts';
import { createSplitter } from './wire/splitter.ts';

export interface DatabaseServer {
  port: number;
  /** Answers the commands that have arrived, then closes the connections. */
  close(): Promise<void>;
}

/**
 * Listens for drivers.
 * @throws what `net.Server.listen` reports, for a port that is taken or not allowed
 */
export async function listen(engine: Engine, host: string, port: number): Promise<DatabaseServer> {
  const connections = new Map<Socket, Connection>();
  const server = createServer((socket) => {
    connections.set(socket, serve(engine, socket));
    socket.on('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
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
function serve(engine: Engine, socket: Socket): Connection {
  const split = createSplitter();
  let tail: Promise<void> = Promise.resolve();
  socket.setNoDelay(true);
  // A broken connection closes by itself. The commands that it sent are carried out all the same.
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const bytes of split(chunk)) tail = tail.then(() => answer(engine, socket, bytes));
    } catch {
      socket.destroy();
    }
  });
  return { idle: () => tail };
}

async function answer(engine: Engine, socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.destroyed) return;
  try {
    const message = readMessage(bytes);
    const reply = await execute(engine, message.request);
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
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });
}

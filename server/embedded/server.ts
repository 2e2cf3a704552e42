import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { errorReply, execute } from './commands/execute.ts';
import type { Engine } from './engine.ts';
import { createSplitter, readMessage, writeError, writeReply } from './wire.ts';

export interface DatabaseServer {
  port: number;
  /** Answers what has been asked, then closes the connections. */
  close(): Promise<void>;
}

/** Listens for drivers. Throws what `listen` throws, for a port that is taken or not ours. */
export async function listen(engine: Engine, host: string, port: number): Promise<DatabaseServer> {
  const sockets = new Map<Socket, { idle(): Promise<void> }>();
  const server = createServer((socket) => {
    sockets.set(socket, serve(engine, socket));
    socket.on('close', () => sockets.delete(socket));
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
        [...sockets].map(async ([socket, connection]) => {
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

/** Serves one connection: its commands one after the other, as MongoDB does. */
function serve(engine: Engine, socket: Socket): { idle(): Promise<void> } {
  const split = createSplitter();
  let tail: Promise<void> = Promise.resolve();
  socket.setNoDelay(true);
  // A broken connection ends itself; what it asked for is done all the same.
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
    if (!message.silent) await send(socket, writeReply(message, reply));
  } catch (error) {
    const reply = writeError(bytes, errorReply(error));
    if (reply !== undefined) socket.write(reply);
    socket.destroySoon();
  }
}

/** Waits for a slow reader, so that a connection never holds more than one reply in memory. */
function send(socket: Socket, bytes: Buffer): Promise<void> | undefined {
  if (socket.destroyed || socket.write(bytes)) return undefined;
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });
}

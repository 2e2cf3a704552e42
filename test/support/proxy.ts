/** A way between two programs that can be cut, made to hang, or slowed down. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Way {
  port: number;
  /** Closes what is connected, and refuses what comes. */
  cut(): void;
  /** Takes everything and passes nothing on, as a network that drops packets (half-open connections). */
  hang(): void;
  /** Passes everything on, each way after so many milliseconds. */
  pass(delayMs?: number): void;
  /** The bytes that were passed on so far: up to the target, and down from it. */
  passed(): { up: number; down: number };
  close(): Promise<void>;
}

/** @param targetPort a port on this machine */
export async function startProxy(targetPort: number): Promise<Way> {
  let mode: 'pass' | 'cut' | 'hang' = 'pass';
  let delay = 0;
  const bytes = { up: 0, down: 0 };
  const sockets = new Set<Socket>();
  /** Those that were connected while the way hung: what they sent is lost, so they never work again. */
  const stuck = new WeakSet<Socket>();

  function track(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  }

  function forward(from: Socket, to: Socket, way: 'up' | 'down'): void {
    from.on('data', (chunk) => {
      if (stuck.has(from) || mode !== 'pass') {
        stuck.add(from);
        return;
      }
      bytes[way] += chunk.length;
      if (delay > 0) setTimeout(() => to.writable && to.write(chunk), delay);
      else to.write(chunk);
    });
    from.on('close', () => {
      if (!stuck.has(from)) to.destroy();
    });
  }

  const server = createServer((client) => {
    track(client);
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    const target = dial(targetPort, '127.0.0.1');
    track(target);
    forward(client, target, 'up');
    forward(target, client, 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    port: address.port,
    cut() {
      mode = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    hang() {
      mode = 'hang';
      for (const socket of sockets) stuck.add(socket);
    },
    pass(delayMs = 0) {
      mode = 'pass';
      delay = delayMs;
    },
    passed: () => ({ ...bytes }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

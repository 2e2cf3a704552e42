/**
 * A proxy between a driver and a database that passes everything on as it is and keeps a record of every command: which
 * it was, what it carried, its bytes and its time. What connections need by themselves is not recorded.
 *
 *     const proxy = await countingProxy(database.url);
 *     const server = await startServer({ env: { MONGODB_URL: proxy.url } });
 *     proxy.reset();
 *     await device.ok('message:send', { recipient_id, content });
 *     proxy.commands(); // [{ name: 'insert', collection: 'messages', body: { insert: 'messages', documents: [ … ] } }, … ]
 */
import { createServer, connect as dial, type Socket } from 'node:net';
import {
  createSplitter,
  expectsReply,
  nameOf,
  readCommand,
  requestIdOf,
  responseToOf,
  type WireCommand,
} from './op-msg.ts';

/** A command on the wire. Its body is decoded when it is first asked for. */
export interface CountedCommand extends WireCommand {
  /** Bytes on the wire, headers included: of the command, and of its reply (0 until it came). */
  requestBytes: number;
  replyBytes: number;
  /** Milliseconds: when the command came, by `performance.now()`, and from then to its reply (undefined until it came). */
  at: number;
  ms: number | undefined;
}

export interface CountingProxy {
  /** The database's URL, by way of the proxy. */
  url: string;
  /** The commands since the start or the last `reset`, in the order in which they came. */
  commands(): CountedCommand[];
  /** Forgets them. Replies that are still to come are recorded on the forgotten ones. */
  reset(): void;
  /** Breaks the connections and stops to listen. */
  close(): Promise<void>;
}

/** What drivers send for the connection's sake: greetings, sign-in, pings, the end. */
const HOUSEKEEPING = new Set([
  'hello',
  'isMaster',
  'ismaster',
  'ping',
  'buildInfo',
  'saslStart',
  'saslContinue',
  'endSessions',
]);

/** A `getMore` that waits for what comes (change streams) asks again and again, whether anything happens or not. */
const isPolling = ({ name, body }: WireCommand) => name === 'getMore' && body.maxTimeMS !== undefined;

/**
 * @param targetUrl a database on one host, without TLS or compression
 * @throws Error when it is none
 */
export async function countingProxy(targetUrl: string): Promise<CountingProxy> {
  const target = new URL(targetUrl);
  if (target.protocol !== 'mongodb:' || target.searchParams.get('tls') === 'true') {
    throw new Error('commands can be read of one host without TLS only');
  }
  const sockets = new Set<Socket>();
  let recorded: CountedCommand[] = [];

  const server = createServer((client) => {
    const upstream = dial(Number(target.port || 27017), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      // Before anything is read here, so that reading delays nothing.
      socket.pipe(other);
    }
    record(client, upstream, (command) => recorded.push(command));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('no port');

  const url = new URL(targetUrl);
  url.host = `127.0.0.1:${listening.port}`;
  // A replica set would tell the driver of its members, and the driver go there.
  url.searchParams.set('directConnection', 'true');
  return {
    url: url.href,
    commands: () => recorded.filter((command) => !isPolling(command)),
    reset() {
      recorded = [];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads both directions of one connection. */
function record(client: Socket, upstream: Socket, keep: (command: CountedCommand) => void): void {
  const unanswered = new Map<number, CountedCommand>();
  const [requests, replies] = [createSplitter(), createSplitter()];
  client.on('data', (chunk) => {
    for (const message of requests(chunk)) {
      if (HOUSEKEEPING.has(nameOf(message))) continue;
      const command = counted(message);
      keep(command);
      if (expectsReply(message)) unanswered.set(requestIdOf(message), command);
    }
  });
  upstream.on('data', (chunk) => {
    for (const reply of replies(chunk)) {
      const command = unanswered.get(responseToOf(reply));
      if (!command) continue;
      unanswered.delete(responseToOf(reply));
      command.replyBytes = reply.length;
      command.ms = performance.now() - command.at;
    }
  });
}

function counted(message: Buffer): CountedCommand {
  let decoded: WireCommand | undefined;
  const read = () => {
    decoded ??= readCommand(message);
    return decoded;
  };
  return {
    name: nameOf(message),
    get collection() {
      return read().collection;
    },
    get body() {
      return read().body;
    },
    requestBytes: message.length,
    replyBytes: 0,
    at: performance.now(),
    ms: undefined,
  };
}

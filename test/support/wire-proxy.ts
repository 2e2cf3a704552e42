/**
 * A proxy between a driver and a database that reads the commands on their way, and answers chosen ones itself. It can
 * make a standalone server look like a replica set with one member: then drivers send transaction numbers and repeat
 * writes by themselves, and it carries a number out once, as MongoDB does.
 */
import { createServer, connect as dial, type Socket } from 'node:net';
import { type Document, ObjectId } from 'mongodb';
import {
  createSplitter,
  readCommand,
  readReply,
  replyTo,
  requestIdOf,
  responseToOf,
  type WireCommand,
  withFields,
  withoutFields,
} from './op-msg.ts';

/**
 * Decides about a command.
 * @param pass has the database carry it out
 * @returns the reply; `break` breaks the connection instead; undefined leaves the command to the database
 */
export type Intercept = (
  command: WireCommand,
  pass: () => Promise<Document>,
) => Promise<Document | 'break' | undefined> | Document | 'break' | undefined;

export interface WireProxy {
  /** The database's URL, by way of the proxy. */
  url: string;
  /** Every command that came, but for greetings. */
  commands: WireCommand[];
  /** From now on, decides about every command but greetings. Nothing by default. */
  intercept(decide?: Intercept): void;
  /** Whether the member of the replica set is its primary. */
  setPrimary(isPrimary: boolean): void;
  /** How far the database's clock is ahead from now on, as it says, in milliseconds. */
  setAhead(ms: number): void;
  /** Whether a write that comes again under its transaction number is answered and not carried out again. */
  setRemembering(remembers: boolean): void;
  close(): Promise<void>;
}

const GREETINGS = ['hello', 'isMaster', 'ismaster'];

export interface WireProxyOptions {
  /** Whether to look like a replica set. */
  isReplicaSet?: boolean;
  /** How far the database's clock is ahead, as it says, in milliseconds. */
  aheadMs?: number;
}

export async function startWireProxy(targetUrl: string, options: WireProxyOptions = {}): Promise<WireProxy> {
  const { isReplicaSet = true } = options;
  let { aheadMs = 0 } = options;
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const commands: WireCommand[] = [];
  const electionId = new ObjectId();
  /** Replies to writes by session and transaction number. */
  const carriedOut = new Map<string, Promise<Buffer>>();
  let decide: Intercept = () => undefined;
  let isPrimary = true;
  let remembers = true;
  let address = '';

  const guise = (): Document => ({
    setName: 'rs',
    setVersion: 1,
    hosts: [address],
    me: address,
    ...(isPrimary ? { primary: address, electionId } : {}),
    ismaster: isPrimary,
    isWritablePrimary: isPrimary,
    secondary: !isPrimary,
  });

  /** Has the database carry a command out, or gives its reply again. */
  function carryOut({ body }: WireCommand, message: Buffer, ask: (message: Buffer) => Promise<Buffer>) {
    if (!isReplicaSet || body.txnNumber === undefined) return ask(message);
    const key = `${body.lsid.id.toString('hex')} ${body.txnNumber}`;
    const known = remembers ? carriedOut.get(key) : undefined;
    const reply = known ?? ask(withoutFields(message, ['txnNumber', '$clusterTime']));
    carriedOut.set(key, reply);
    return reply;
  }

  /** @returns the reply; undefined to break the connection */
  async function answer(message: Buffer, ask: (message: Buffer) => Promise<Buffer>): Promise<Buffer | undefined> {
    const command = readCommand(message);
    if (GREETINGS.includes(command.name)) {
      const greeting = await ask(withoutFields(message, ['topologyVersion', 'maxAwaitTimeMS']));
      const localTime = new Date(Date.now() + aheadMs);
      return withFields(greeting, { localTime, ...(isReplicaSet ? guise() : {}) });
    }
    commands.push(command);
    if (!isPrimary) return replyTo(message, failure(10_107, ['RetryableWriteError']));
    let passed: Buffer | undefined;
    const decided = await decide(command, async () => {
      passed = await carryOut(command, message, ask);
      return readReply(passed);
    });
    if (decided === 'break') return undefined;
    return decided ? replyTo(message, decided) : (passed ?? carryOut(command, message, ask));
  }

  const server = createServer((client) => {
    const upstream = dial(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    bridge(client, upstream, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('no port');
  address = `127.0.0.1:${listening.port}`;

  return {
    url: `mongodb://${address}${target.pathname}`,
    commands,
    intercept(next = () => undefined) {
      decide = next;
    },
    setPrimary(is) {
      isPrimary = is;
    },
    setAhead(ms) {
      aheadMs = ms;
    },
    setRemembering(does) {
      remembers = does;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @param answer gives the reply to a message; undefined to break the connection */
function bridge(
  client: Socket,
  upstream: Socket,
  answer: (message: Buffer, ask: (message: Buffer) => Promise<Buffer>) => Promise<Buffer | undefined>,
): void {
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => other.destroy());
  }
  const waiting = new Map<number, (reply: Buffer) => void>();
  const [requests, replies] = [createSplitter(), createSplitter()];
  upstream.on('data', (chunk) => {
    for (const reply of replies(chunk)) waiting.get(responseToOf(reply))?.(reply);
  });
  const ask = (message: Buffer) =>
    new Promise<Buffer>((resolve) => {
      waiting.set(requestIdOf(message), resolve);
      upstream.write(message);
    });
  client.on('data', (chunk) => {
    for (const message of requests(chunk)) {
      void answer(message, ask).then((reply) => {
        if (reply === undefined) client.destroy();
        else if (client.writable) client.write(forRequest(reply, message));
      });
    }
  });
}

/** A reply may be given a second time, to another request. */
function forRequest(reply: Buffer, request: Buffer): Buffer {
  const copy = Buffer.from(reply);
  copy.writeInt32LE(requestIdOf(request), 8);
  return copy;
}

/** The reply with which a server refuses a whole command. */
export function failure(code: number, errorLabels: string[] = []): Document {
  return { ok: 0, code, codeName: `Code${code}`, errmsg: `refused with ${code}`, errorLabels };
}

/** The reply with which it refuses one write of a command, and carries out `n` others. */
export function writeError(code: number, index = 0, n = 0): Document {
  return { ok: 1, n, nModified: n, writeErrors: [{ index, code, errmsg: `refused with ${code}` }] };
}

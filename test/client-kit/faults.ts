/** A way between a client and a server that plays faults on the packets of Socket.IO, over WebSocket alone. */
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** An event (`42`) or acknowledgement (`43`) of the default namespace. */
export interface Packet {
  kind: 'event' | 'ack';
  id: string;
  /** Of an event its name and payload; of an acknowledgement the answer. */
  args: unknown[];
}

/** What goes wrong at the moment. */
export interface Faults {
  /** Each event comes twice. */
  double: boolean;
  /** The next two messages come in the wrong order. */
  swap: boolean;
  /** How late everything comes, in milliseconds. */
  lateMs: number;
  /** So many acknowledgements of sends are lost, each with its connection. */
  lostAcks: number;
  /** So many sends are answered `unavailable`. */
  unavailable: number;
  /** The token that handshakes are refused with. */
  burnedToken: string | undefined;
}

export interface FaultyWay {
  url: string;
  faults: Faults;
  /** Says an event of the server to the client. */
  say(name: string, payload: unknown): void;
  cut(): void;
  close(): Promise<void>;
}

export interface WayOptions {
  target: string;
  /** Answers what is not the server's. @returns undefined for what is */
  answer(request: IncomingMessage, body: string): Promise<unknown> | undefined;
  /** The client did something, e.g. sent a command. */
  onClient(packet: Packet | 'connects' | 'ready', token?: string): void;
}

function parse(text: string): Packet | undefined {
  const found = /^4([23])(\d*)(\[.*)$/s.exec(text);
  if (!found) return undefined;
  return { kind: found[1] === '2' ? 'event' : 'ack', id: found[2]!, args: JSON.parse(found[3]!) as unknown[] };
}

export async function startFaultyWay({ target, answer, onClient }: WayOptions): Promise<FaultyWay> {
  const faults: Faults = {
    double: false,
    swap: false,
    lateMs: 0,
    lostAcks: 0,
    unavailable: 0,
    burnedToken: undefined,
  };
  const clients = new Set<WebSocket>();
  const sockets = new WebSocketServer({ noServer: true });
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const own = answer(request, body);
    if (own) {
      response.setHeader('content-type', 'application/json');
      return void response.end(JSON.stringify(await own));
    }
    const { method, headers, url } = request;
    const forwarded = httpRequest(target + url, { method, headers }, (answered) => {
      response.writeHead(answered.statusCode!, answered.headers);
      answered.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    forwarded.end(body);
  });

  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      onClient('connects');
      clients.add(client);
      const upstream = new WebSocket(target.replace('http', 'ws') + request.url);
      const waiting: string[] = [];
      const up = (text: string) => (upstream.readyState === WebSocket.OPEN ? upstream.send(text) : waiting.push(text));
      upstream.on('open', () => {
        for (const text of waiting.splice(0)) upstream.send(text);
      });
      const down = createDown(client, faults, onClient);
      upstream.on('message', (data) => down(String(data)));
      client.on('message', (data) => {
        const kept = upward(String(data), client, faults, onClient, down.sends);
        if (kept !== undefined) up(kept);
      });
      for (const side of [client, upstream]) side.on('error', () => side.terminate());
      upstream.on('close', () => client.terminate());
      client.on('close', () => {
        clients.delete(client);
        upstream.terminate();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    say(name, payload) {
      for (const client of clients) client.send(`42${JSON.stringify([name, payload])}`);
    },
    cut() {
      for (const client of clients) client.terminate();
    },
    async close() {
      for (const client of clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the client says. @returns what the server hears of it */
function upward(
  text: string,
  client: WebSocket,
  faults: Faults,
  onClient: WayOptions['onClient'],
  sends: Set<string>,
): string | undefined {
  if (text.startsWith('40')) {
    const { token } = JSON.parse(text.slice(2) || '{}') as { token?: string };
    if (token !== undefined && token === faults.burnedToken) {
      client.send(
        `44${JSON.stringify({ message: 'unauthenticated', data: { code: 'unauthenticated', message: 'expired' } })}`,
      );
      return undefined;
    }
    return text;
  }
  const packet = parse(text);
  if (packet?.kind !== 'event') return text;
  onClient(packet);
  if (packet.args[0] !== 'message:send') return text;
  if (faults.unavailable > 0) {
    faults.unavailable--;
    const refusal = { ok: false, error: { code: 'unavailable', message: 'the store is down' } };
    client.send(`43${packet.id}${JSON.stringify([refusal])}`);
    return undefined;
  }
  sends.add(packet.id);
  return text;
}

/** What the server says, as it arrives. */
function createDown(client: WebSocket, faults: Faults, onClient: WayOptions['onClient']) {
  const sends = new Set<string>();
  let held: string | undefined;
  const deliver = (text: string) => {
    if (faults.lateMs > 0) setTimeout(() => client.readyState === WebSocket.OPEN && client.send(text), faults.lateMs);
    else client.send(text);
  };
  const down = (text: string) => {
    const packet = parse(text);
    if (packet?.kind === 'ack' && sends.delete(packet.id) && faults.lostAcks > 0) {
      faults.lostAcks--;
      return client.terminate();
    }
    const name = packet?.kind === 'event' ? packet.args[0] : undefined;
    if (name === 'message:new' && faults.swap) {
      if (held === undefined) {
        held = text;
        return;
      }
      faults.swap = false;
      deliver(text);
      deliver(held);
      return;
    }
    deliver(text);
    if (name !== undefined && name !== 'session:ready' && faults.double) deliver(text);
    if (name === 'session:ready') onClient('ready');
  };
  return Object.assign(down, { sends });
}

/**
 * Offers of another protocol (RFC 9110, section 7.8). Socket.IO's WebSockets are taken; any other offer is ignored, and
 * the request answered as if it had not been made. Node hands the connection over as soon as anybody listens for upgrades,
 * and loses what follows such a request when nobody does. So the request is put back without its offer.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** The first version of Node that reads the body of such a request itself, apart from the connection. */
const BODY_IS_READ_SINCE = 25;

/** Whether a request opens a WebSocket of Socket.IO. */
export function opensWebSocket({ headers, url = '' }: IncomingMessage, path: string): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && url.startsWith(path);
}

/** Serves a request as if it had made no offer, and what follows it on the connection. */
export function serveWithoutOffer(server: Server, request: IncomingMessage, connection: Duplex, rest: Buffer): void {
  connection.unshift(Buffer.concat([headWithoutOffer(request), rest]));
  server.emit('connection', connection);
}

/**
 * Where Node reads the body itself, a request with one is served as Node serves it when nobody listens for upgrades. What
 * follows it is lost then, so its answer has to close the connection: the client sends the rest again.
 */
export function refuseOffersWithBodies(server: Server, path: string): void {
  if (Number.parseInt(process.versions.node, 10) < BODY_IS_READ_SINCE) return;
  Object.assign(server, {
    shouldUpgradeCallback: (request: IncomingMessage) => opensWebSocket(request, path) || !hasBody(request),
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The request line and the headers, as they came, without the offer and what belongs to it. */
function headWithoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = rawHeaders.slice(i, i + 2) as [string, string];
    if (/^(upgrade|http2-settings)$/i.test(name)) continue;
    const kept = /^connection$/i.test(name) ? withoutOffer(value) : value;
    if (kept !== '' || kept === value) lines.push(`${name}: ${kept}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The options of a `Connection` header that remain. */
function withoutOffer(value: string): string {
  const options = value.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option)).join(', ');
}

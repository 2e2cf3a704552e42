/**
 * What stands before Fastify and Socket.IO: it sees every request first, answers what neither of them sees, and gives the
 * contract's body to the refusals that Node would send without one.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { invalid, notFound } from '../lib/errors.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { type HostConfig, isOnlyLocal, refusalByHost } from './host.ts';
import { answerAndClose, bodyOf, type Refusal, refusalOf, refused } from './last-answers.ts';
import { createUnanswered } from './unanswered.ts';
import { opensWebSocket, refuseOffersWithBodies, serveWithoutOffer } from './upgrades.ts';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;
type UpgradeListener = (request: IncomingMessage, connection: Duplex, rest: Buffer) => void;

/**
 * Opens the door of a server that Fastify and Socket.IO are attached to.
 * @param path where Socket.IO takes WebSockets
 */
export function openFrontDoor(server: Server, config: HostConfig, path: string): void {
  const unanswered = createUnanswered();
  const onRequest = take<RequestListener>(server, 'request');
  const onWebSocket = take<UpgradeListener>(server, 'upgrade');
  take(server, 'clientError');
  const refusalOfHost = (request: IncomingMessage) =>
    refusalByHost(request, () => isOnlyLocal(server, config), config.host);

  server.on('request', (request, response) => {
    unanswered.add(request, response);
    // An offer that comes here instead of to `upgrade`: what follows it may be lost (upgrades.ts).
    if (request.headers.upgrade !== undefined) response.setHeader('Connection', 'close');
    const refusal = refusalOfHost(request);
    if (refusal) refuse(response, refused(refusal));
    else for (const listener of onRequest) listener(request, response);
  });

  server.on('checkExpectation', (request, response) => {
    unanswered.add(request, response);
    refuse(response, { error: invalid('Expect', 'must be 100-continue'), status: 417 });
  });

  server.on('upgrade', (request, connection, rest) => {
    if (opensWebSocket(request, path)) {
      const refusal = refusalOfHost(request);
      if (refusal) answerAndClose(connection, refused(refusal));
      else for (const listener of onWebSocket) listener(request, connection, rest);
      return;
    }
    afterAnswers(connection, () => {
      // A client that has closed its side meanwhile gets no answer, as without an offer.
      if (connection.readableEnded) connection.destroy();
      else serveWithoutOffer(server, request, connection, rest);
    });
  });
  refuseOffersWithBodies(server, path);

  server.on('connect', (_request, connection) => {
    afterAnswers(connection, () => answerAndClose(connection, refused(notFound('no such route'))));
  });

  const broken = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, connection) => {
    // The parser complains once more of whatever follows.
    if (broken.has(connection)) return;
    broken.add(connection);
    if (error.code === 'ECONNRESET') connection.destroy();
    else afterAnswers(connection, () => answerAndClose(connection, refusalOf(error)));
  });

  /** Goes on with a connection once its earlier requests are answered, unless it ended in the middle of an answer. */
  function afterAnswers(connection: Duplex, goOn: () => void): void {
    const ignore = () => {};
    connection.on('error', ignore);
    void unanswered.settled(connection).then(() => {
      connection.off('error', ignore);
      if (!connection.writable || unanswered.hasBegun(connection)) connection.destroy();
      else goOn();
    });
  }
}

/** Takes the listeners of an event off a server. */
function take<L>(server: Server, event: string): L[] {
  const listeners = server.listeners(event).map((listener) => listener.bind(server)) as L[];
  server.removeAllListeners(event);
  return listeners;
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  const { headers, body } = bodyOf(refusal);
  // The body of the request is not read.
  response.writeHead(refusal.status, { ...SECURITY_HEADERS, ...headers, Connection: 'close' }).end(body);
}

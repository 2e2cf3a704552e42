/** The requests of each connection that are not answered yet. Clients may send several at once (pipelining). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface Unanswered {
  add(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when every request that has arrived whole is answered; one that never arrives whole may never be. */
  settled(connection: Duplex): Promise<void>;
  /** Whether part of an answer was sent. */
  hasBegun(connection: Duplex): boolean;
}

export function createUnanswered(): Unanswered {
  const byConnection = new WeakMap<Duplex, Map<ServerResponse, IncomingMessage>>();
  const of = (connection: Duplex) => byConnection.get(connection) ?? new Map<ServerResponse, IncomingMessage>();

  return {
    add(request, response) {
      const waiting = of(request.socket).set(response, request);
      byConnection.set(request.socket, waiting);
      response.once('close', () => waiting.delete(response));
    },
    async settled(connection) {
      for (const [response, { complete }] of of(connection)) {
        // Closed in the order of the requests; what is closed is gone from the map.
        if (complete) await new Promise((resolve) => response.once('close', resolve));
      }
    },
    hasBegun: (connection) => [...of(connection).keys()].some(({ headersSent }) => headersSent),
  };
}

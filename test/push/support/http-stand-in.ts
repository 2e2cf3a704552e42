/** A push service, or FCM with its tokens, as a server of the test. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createScript, type Script } from './script.ts';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** By `performance.now()`. */
  at: number;
  /** Of the connection that it came by. */
  port: number;
  /** Whether it was answered well. */
  taken: boolean;
}

export interface HttpStandIn extends Script {
  url: string;
  received: Received[];
  close(): Promise<void>;
}

/** @param good answers a request well: by default 201 */
export async function startHttpStandIn(
  good: (request: Received, response: ServerResponse) => void = (_, response) => void response.writeHead(201).end(),
  port = 0,
): Promise<HttpStandIn> {
  const script = createScript();
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', headers, socket } = request;
      const answer = script.take();
      const one = {
        taken: !answer,
        path,
        headers,
        body: Buffer.concat(chunks),
        at: performance.now(),
        port: socket.remotePort ?? 0,
      };
      received.push(one);
      if (answer === 'hang') return;
      if (!answer) return good(one, response);
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    ...script,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Starts one for one test only. */
export async function httpStandInForTest(
  good?: Parameters<typeof startHttpStandIn>[0],
  port?: number,
): Promise<HttpStandIn> {
  const standIn = await startHttpStandIn(good, port);
  onTestFinished(() => standIn.close());
  return standIn;
}

/** Answers what is not an HTTP request at all, in the contract's form. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ERROR_STATUS, type WireError } from '../../shared/contract/errors.ts';

/** How long a client has to read its answer and close, in milliseconds. */
const LINGER_MS = 2000;

/** For Fastify's `clientErrorHandler`: sends one last answer and closes the connection. */
export function answerMalformedRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const wire: WireError =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? { code: 'payload_too_large', message: 'the headers are too large' }
      : { code: 'validation_failed', message: 'this is not an HTTP request', details: [] };
  const status = ERROR_STATUS[wire.code];
  const body = JSON.stringify({ error: wire });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // The parser has let go of the connection: nothing else would ever close it.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

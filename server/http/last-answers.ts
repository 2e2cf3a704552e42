/** Answers for which there is no response object: the last ones on a connection, in the contract's form. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ContractError, invalid } from '../lib/errors.ts';

/** How long a client may take to close its side after the last answer, in milliseconds. */
const LINGER_MS = 1000;

/** A refusal, with the status that HTTP itself has for it. */
export interface Refusal {
  error: ContractError;
  status: number;
}

/** The refusal of what Node's parser gave up on. */
export function refusalOf({ code }: Pick<NodeJS.ErrnoException, 'code'>): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW')
    return refused(new ContractError('payload_too_large', 'the headers are too large'));
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { error: invalid('', 'took too long to arrive'), status: 408 };
  return refused(invalid('', 'is not an HTTP request'));
}

/** A refusal with the status of its code. */
export const refused = (error: ContractError): Refusal => ({ error, status: error.status });

/** The body of a refusal, and the headers that describe it. */
export function bodyOf({ error }: Refusal): { headers: Record<string, string | number>; body: string } {
  const body = JSON.stringify({ error: error.toWire() });
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) };
  return { headers, body };
}

/** Sends one last answer and closes the connection, whether or not the client closes its side. */
export function answerAndClose(connection: Duplex, refusal: Refusal): void {
  const { headers, body } = bodyOf(refusal);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`, ...lines].join('\r\n');
  connection.on('error', () => connection.destroy());
  connection.end(`${head}\r\n\r\n${body}`);
  // What the client still sends is read and dropped: closing on unread bytes is a reset, which loses the answer.
  connection.resume();
  const timer = setTimeout(() => connection.destroy(), LINGER_MS);
  timer.unref();
  connection.once('close', () => clearTimeout(timer));
}

/**
 * HTTP to addresses that others name (webhooks, push): it reaches nothing within the operator's own network. The address
 * that was checked is the one that is connected to, so a name that changes in between helps nobody; redirects are not
 * followed; certificates are verified.
 */
import { lookup as systemLookup } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isGlobalAddress } from './global-address.ts';

/** The time for a whole request, from the look-up of the name to the end of the answer, in milliseconds. */
const DEADLINE_MS = 10_000;
/** What is read of an answer's body, in bytes. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_URL_LENGTH = 2048;
/** Connections to one host at once; further requests wait. */
const MAX_SOCKETS = 64;

export interface OutboundRequest {
  url: string;
  headers: Record<string, string>;
  body: string | Buffer;
  /** By default 10 s. */
  deadlineMs?: number;
  /** Cancels the request. */
  signal?: AbortSignal;
}

export interface OutboundAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** Resolves with the body's beginning, 64 KiB at most; rejects with `OutboundError`. Need not be asked for. */
  body(): Promise<Buffer>;
}

/** No answer. The message says why, without the URL, which may hold secrets. */
export class OutboundError extends Error {}

export interface Outbound {
  /** @returns why no request may go to this URL, to follow its name (`must be …`); undefined where it may */
  refusal(url: string): Promise<string | undefined>;
  /**
   * Sends a POST; resolves with the answer's status and headers, whatever they say.
   * @throws OutboundError where there is none in time, or the URL leads where it must not
   */
  post(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Ends idle connections. */
  close(): void;
}

export interface OutboundOptions {
  /** Lets `http:` and addresses through that are not globally reachable. */
  allowPrivate: boolean;
  /** By default the system's, with its hosts file. */
  lookup?: LookupFunction;
}

const PRIVATE = 'leads to an address that is not globally reachable';

export function createOutbound({ allowPrivate, lookup = systemLookup as LookupFunction }: OutboundOptions): Outbound {
  const checkedLookup = allowPrivate ? lookup : checking(lookup);
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' } as const;
  const http = { agent: new HttpAgent(options), request: httpRequest };
  const https = { agent: new HttpsAgent(options), request: httpsRequest };

  /** What can be said of a URL without asking for its name. */
  function parse(text: string): URL | string {
    if (text.length > MAX_URL_LENGTH) return `must NOT have more than ${MAX_URL_LENGTH} characters`;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const protocols = allowPrivate ? ['https:', 'http:'] : ['https:'];
    if (!url || !protocols.includes(url.protocol)) {
      return `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    }
    if (url.username !== '' || url.password !== '') return 'must NOT hold a user or password';
    // A literal address is connected to without a look-up. The parser has turned `0x7f.1` and the like into one.
    const host = hostOf(url);
    return isIP(host) !== 0 && !allowPrivate && !isGlobalAddress(host) ? `must NOT be one that ${PRIVATE}` : url;
  }

  function send(
    url: URL,
    { headers, body }: OutboundRequest,
    signal: AbortSignal,
    retry = true,
  ): Promise<OutboundAnswer> {
    const { agent, request } = url.protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const sent = request(url, {
        method: 'POST',
        headers: { ...headers, ...length },
        agent,
        lookup: checkedLookup,
        signal,
      });
      sent.once('response', (answer) => resolve(answerOf(answer)));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The other side closed the connection while it was idle: nobody has looked at the request.
        const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        if (isStale && retry && !signal.aborted) resolve(send(url, { url: '', headers, body }, signal, false));
        else reject(outboundError(error, signal));
      });
      sent.end(body);
    });
  }

  return {
    async refusal(text) {
      const url = parse(text);
      if (typeof url === 'string') return url;
      if (allowPrivate || isIP(hostOf(url)) !== 0) return undefined;
      const addresses = await addressesOf(lookup, url.hostname);
      return addresses.every(isGlobalAddress) ? undefined : `must NOT be one that ${PRIVATE}`;
    },
    async post(request) {
      const url = parse(request.url);
      if (typeof url === 'string') throw new OutboundError(`the URL ${url}`);
      return send(url, request, limited(request));
    },
    close() {
      http.agent.destroy();
      https.agent.destroy();
    },
  };
}

/** The host without the brackets of an IPv6 address. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

/** @returns the addresses of a name; none where it cannot be resolved now */
function addressesOf(lookup: LookupFunction, hostname: string): Promise<string[]> {
  return new Promise((resolve) => {
    lookup(hostname, { all: true }, (error, found) => {
      resolve(error ? [] : [found].flat().map((one) => (typeof one === 'string' ? one : one.address)));
    });
  });
}

/** A look-up that fails where one of the addresses is not globally reachable. */
function checking(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, found, family) => {
      const addresses = error ? [] : [found].flat().map((one) => (typeof one === 'string' ? one : one.address));
      if (addresses.every(isGlobalAddress)) callback(error, found, family);
      else callback(new OutboundError(`the name ${PRIVATE}`), []);
    });
  };
}

/** Reads the body's beginning, so that the connection can be used again, and closes it where there is more. */
function answerOf(answer: IncomingMessage): OutboundAnswer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const read = new Promise<Buffer>((resolve, reject) => {
    const end = () => resolve(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES));
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= MAX_BODY_BYTES) return;
      end();
      answer.destroy();
    });
    answer.once('end', end);
    answer.once('error', () => reject(new OutboundError('the answer broke off')));
  });
  read.catch(() => {});
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: () => read };
}

/** @returns a signal that ends the request at its deadline, or when its caller cancels it */
function limited({ deadlineMs = DEADLINE_MS, signal }: OutboundRequest): AbortSignal {
  const ending = new AbortController();
  const cancel = () => ending.abort(new OutboundError('the request was cancelled'));
  const timer = setTimeout(() => {
    signal?.removeEventListener('abort', cancel);
    ending.abort(new OutboundError('no answer in time'));
  }, deadlineMs);
  timer.unref();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  return ending.signal;
}

function outboundError(error: NodeJS.ErrnoException, signal: AbortSignal): OutboundError {
  if (signal.aborted) return signal.reason as OutboundError;
  if (error instanceof OutboundError) return error;
  return new OutboundError(error.code ? `no connection (${error.code})` : 'no answer that is HTTP');
}

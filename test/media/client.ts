/** Uploads as clients make and read them. */
import { connect as connectTcp, type Socket } from 'node:net';
import { type Account, type HttpAnswer, http } from '../support/client.ts';

/** For `expect.poll`: long enough for a busy machine, yet shorter than a test may take. */
export const PATIENCE = { timeout: 45_000 };
/** Before a test's own time is over, so that it says which request was not answered. */
const patience = () => AbortSignal.timeout(110_000);

export interface Part {
  content: Uint8Array | string;
  /** Undefined: a part without a file name. */
  filename?: string | undefined;
  /** The whole `Content-Disposition` instead. */
  disposition?: string;
  field?: string;
  type?: string;
}

export interface Body {
  type: string;
  bytes: Buffer;
}

/** A multipart body written by hand, so that it can be wrong in every way. */
export function multipart(parts: Part[], boundary = 'a-boundary'): Body {
  const pieces = parts.flatMap(
    ({ content, filename, field = 'file', type = 'application/x-whatever', disposition }) => {
      const name = filename === undefined ? '' : `; filename="${filename}"`;
      const header = disposition ?? `form-data; name="${field}"${name}`;
      const headers = `Content-Disposition: ${header}\r\nContent-Type: ${type}\r\n`;
      return [`--${boundary}\r\n${headers}\r\n`, content, '\r\n'];
    },
  );
  const bytes = Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece as string)));
  return { type: `multipart/form-data; boundary=${boundary}`, bytes };
}

/** POSTs a body as it is. */
export async function post(base: string, route: string, account: Account | undefined, body: Body): Promise<HttpAnswer> {
  const response = await fetch(base + route, {
    method: 'POST',
    headers: { 'content-type': body.type, ...bearer(account) },
    body: body.bytes,
    signal: patience(),
  });
  return { status: response.status, json: await response.json().catch(() => undefined), headers: response.headers };
}

export function bearer(account: Account | undefined): { authorization?: string } {
  return account ? { authorization: `Bearer ${account.access_token}` } : {};
}

/** Opens a connection and sends the head of a request; the caller sends as much of the body as it likes. */
export function openRequest(
  base: string,
  requestLine: string,
  account: Account,
  headers: Record<string, string>,
): Socket {
  const { host, hostname, port } = new URL(base);
  const socket = connectTcp(Number(port), hostname);
  const lines = Object.entries({ Host: host, ...bearer(account), ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`${[`${requestLine} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`);
  return socket;
}

/** Uploads one file in the ordinary way. */
export function upload(
  base: string,
  account: Account,
  route: '/media' | '/files',
  content: Uint8Array | string,
  filename = 'a.bin',
): Promise<HttpAnswer> {
  return post(base, route, account, multipart([{ content, filename }]));
}

/** Uploads a file that must be accepted. @returns its document */
export async function uploaded(...args: Parameters<typeof upload>): Promise<Record<string, unknown> & { _id: string }> {
  const { status, json } = await upload(...args);
  if (status !== 201) throw new Error(`${args[2]}: ${status} ${JSON.stringify(json)}`);
  return json.media ?? json.file;
}

export interface Fetched {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** The code of the error in the body, if it is one. */
  code: string | undefined;
}

/** Requests a route or an absolute address, with or without a bearer. */
export async function read(
  base: string,
  route: string,
  account?: Account,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Fetched> {
  const response = await fetch(new URL(route, base), {
    method,
    headers: { ...bearer(account), ...headers },
    signal: patience(),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  let code: string | undefined;
  try {
    code = JSON.parse(bytes.toString()).error?.code;
  } catch {
    // Not an error.
  }
  return { status: response.status, headers: response.headers, bytes, code };
}

/** `/info` of an upload, as a user sees it. */
export async function info(base: string, account: Account, route: string): Promise<HttpAnswer> {
  return http(base, 'GET', `${route}/info`, { token: account.access_token });
}

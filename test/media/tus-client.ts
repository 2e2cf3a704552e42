/** Requests of the tus protocol, one by one. */
import type { Account } from '../support/client.ts';
import { bearer, PATIENCE } from './client.ts';

export interface TusAnswer {
  status: number;
  headers: Headers;
  /** The code of the error in the body, if it is one. */
  code: string | undefined;
  details: unknown;
}

export async function tus(
  base: string,
  method: string,
  route: string,
  account: Account | undefined,
  headers = {},
  body?: Buffer,
): Promise<TusAnswer> {
  const response = await fetch(base + route, {
    method,
    headers: { 'tus-resumable': '1.0.0', ...bearer(account), ...headers },
    ...(body ? { body } : {}),
    signal: AbortSignal.timeout(PATIENCE.timeout),
  });
  const json = (await response.json().catch(() => undefined)) as
    | { error?: { code: string; details?: unknown } }
    | undefined;
  return { status: response.status, headers: response.headers, code: json?.error?.code, details: json?.error?.details };
}

/** Begins an upload. */
export function createUpload(base: string, account: Account, size: number, metadata: Record<string, string>) {
  const encoded = Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');
  return tus(base, 'POST', '/uploads', account, { 'upload-length': String(size), 'upload-metadata': encoded });
}

/** Begins an upload of a file that must be accepted. @returns its route */
export async function begunUpload(base: string, account: Account, size: number): Promise<string> {
  const { status, headers } = await createUpload(base, account, size, { filename: 'a.bin' });
  if (status !== 201) throw new Error(`POST /uploads: ${status}`);
  return headers.get('location')!;
}

/** Continues an upload. */
export function sendPiece(base: string, account: Account, route: string, offset: number, body: Buffer) {
  const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) };
  return tus(base, 'PATCH', route, account, headers, body);
}

/** The one part `file` of a multipart request, on its way to a temporary file (RFC 7578). */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { ContractError, invalid } from '../lib/errors.ts';
import { cleanFileName } from './file-name.ts';
import { type SpoolTarget, spool } from './temporary-files.ts';

const FIELD = 'file';
/** How long a refused request is read on, in milliseconds: a client that still sends may not look for the answer. */
const DRAIN_MS = 2000;

export interface Received {
  /** The local file. */
  file: string;
  /** Bytes, at least one. */
  size: number;
  originalFilename: string;
}

/**
 * A hook that refuses whatever is no form with files, before its body is looked at: what is wrong with a JSON body does
 * not matter where none is taken.
 * @throws ContractError `unsupported_media_type`
 */
export async function requireMultipart({ headers }: FastifyRequest): Promise<void> {
  if (/^multipart\/form-data\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  throw new ContractError('unsupported_media_type', 'the body is not multipart/form-data');
}

/**
 * Receives an upload.
 * @param target where to write it
 * @throws ContractError `payload_too_large`, `validation_failed` for anything but exactly one file with a name and bytes
 *   in it
 */
export async function receive(request: FastifyRequest, target: SpoolTarget): Promise<Received> {
  try {
    return await readParts(request, target);
  } catch (error) {
    await drain(request);
    // What the parser says of bytes that are no multipart body; trouble with the disk is not the client's.
    if (error instanceof ContractError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw invalid('', 'must be multipart/form-data with exactly one part "file"');
  }
}

async function readParts(request: FastifyRequest, target: SpoolTarget): Promise<Received> {
  let received: Received | undefined;
  // `parts` also counts what the parser passes over, such as parts without a name.
  const limits = { parts: 1, fileSize: Number.POSITIVE_INFINITY, fieldSize: 1024, headerPairs: 32 };
  for await (const part of request.parts({ limits, preservePath: true })) {
    if (part.type !== 'file' || part.fieldname !== FIELD) throw invalid(FIELD, 'must be the only part, and a file');
    received = await readPart(part, target);
  }
  if (!received) throw invalid(FIELD, 'is missing');
  return received;
}

async function readPart(part: MultipartFile, target: SpoolTarget): Promise<Received> {
  // Declared as always there, but a part of type application/octet-stream counts as a file without it.
  const name: string | undefined = part.filename;
  if (!name) throw invalid(FIELD, 'has no file name');
  const originalFilename = cleanFileName(decodeName(name));
  const size = await spool(part.file, target);
  if (size === 0) throw invalid(FIELD, 'is empty');
  return { file: target.file, size, originalFilename };
}

/** What browsers do to a name that would end its quotes or its line (HTML, multipart/form-data encoding algorithm). */
function decodeName(name: string): string {
  return name.replaceAll(/%(22|0D|0A)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Reads on for a while, so that the answer finds a client that listens; what comes later is thrown away. */
export async function drain({ raw }: FastifyRequest): Promise<void> {
  raw.unpipe();
  raw.resume();
  if (raw.readableEnded || raw.destroyed) return;
  const stop = new AbortController();
  await Promise.race([
    once(raw, 'close', { signal: stop.signal }),
    once(raw, 'end', { signal: stop.signal }),
    delay(DRAIN_MS, undefined, { signal: stop.signal }),
  ]).catch(() => {});
  stop.abort();
}

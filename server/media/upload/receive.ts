/** Receives the part `file` of a multipart request (RFC 7578) into a temporary file. */
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { ContractError, invalid } from '../../lib/errors.ts';
import { type SpoolTarget, spool } from '../storage/spool.ts';
import { drain } from './drain.ts';
import { cleanFilename } from './original-filename.ts';

const FIELD = 'file';

export interface Received {
  /** The local file. */
  file: string;
  /** Bytes, at least one. */
  size: number;
  originalFilename: string;
}

/**
 * A hook that refuses other bodies before they are read: a broken JSON body, say, is of the wrong type first of all.
 * @throws ContractError `unsupported_media_type`
 */
export async function requireMultipart({ headers }: FastifyRequest): Promise<void> {
  if (/^multipart\/form-data\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  throw new ContractError('unsupported_media_type', 'the body must be multipart/form-data');
}

/**
 * Receives an upload.
 * @throws ContractError `payload_too_large`; `validation_failed` for anything but exactly one file, with a name and at
 *   least one byte
 */
export async function receive(request: FastifyRequest, target: SpoolTarget): Promise<Received> {
  try {
    return await readParts(request, target);
  } catch (error) {
    await drain(request);
    // Failures of the disk are not the client's; anything else is the parser's complaint about the body.
    if (error instanceof ContractError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw invalid('', 'must be multipart/form-data with exactly one part "file"');
  }
}

async function readParts(request: FastifyRequest, target: SpoolTarget): Promise<Received> {
  let received: Received | undefined;
  // `parts` also counts parts that the parser skips, such as those without a name.
  const limits = { parts: 1, fileSize: Number.POSITIVE_INFINITY, fieldSize: 1024, headerPairs: 32 };
  for await (const part of request.parts({ limits, preservePath: true })) {
    if (part.type !== 'file' || part.fieldname !== FIELD) throw invalid(FIELD, 'must be the only part, and a file');
    received = await readPart(part, target);
  }
  if (!received) throw invalid(FIELD, 'is missing');
  return received;
}

async function readPart(part: MultipartFile, target: SpoolTarget): Promise<Received> {
  // The types promise a name, but a part of type application/octet-stream counts as a file without one.
  const name: string | undefined = part.filename;
  if (!name) throw invalid(FIELD, 'has no file name');
  const originalFilename = cleanFilename(decodeName(name));
  const size = await spool(part.file, target);
  if (size === 0) throw invalid(FIELD, 'is empty');
  return { file: target.file, size, originalFilename };
}

/** Reverts how browsers escape quotes and line breaks in names (HTML, multipart/form-data encoding algorithm). */
function decodeName(name: string): string {
  return name.replaceAll(/%(22|0D|0A)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

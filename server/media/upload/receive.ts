/** Receives the part `file` of a multipart request (RFC 7578) into a temporary file. */
import type { FastifyRequest } from 'fastify';
import { ContractError, invalid } from '../../lib/errors.ts';
import { type SpoolTarget, spool } from '../storage/spool.ts';
import { drain } from './drain.ts';
import { parametersOf } from './header-parameters.ts';
import { cleanFilename, filenameIn } from './original-filename.ts';
import { type Part, readSinglePart } from './single-part.ts';

const FIELD = 'file';

export interface Received {
  /** The local file. */
  file: string;
  /** Bytes, at least one. */
  size: number;
  originalFilename: string;
}

/**
 * A hook that refuses other bodies before they are read: a broken JSON body, say, is first of all of the wrong type.
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
    return await readSinglePart(request, (part) => readPart(part, target));
  } catch (error) {
    await drain(request);
    // Failures of the disk are not the client's; anything else is the parser's complaint about the body.
    if (error instanceof ContractError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw invalid('', 'must be multipart/form-data with exactly one part "file"');
  }
}

async function readPart({ headers, content }: Part, target: SpoolTarget): Promise<Received> {
  const disposition = headers['content-disposition']?.[0] ?? '';
  const parameters = parametersOf(disposition);
  const isFile = /^form-data\s*;/i.test(disposition) && parameters.get('name') === FIELD;
  if (!isFile) throw invalid(FIELD, 'must be the only part, and a file');
  const name = filenameIn(parameters);
  if (!name) throw invalid(FIELD, 'has no file name');
  const originalFilename = cleanFilename(name);
  const size = await spool(content, target);
  if (size === 0) throw invalid(FIELD, 'is empty');
  return { file: target.file, size, originalFilename };
}

/** `POST /media` and `POST /files`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ObjectId } from 'mongodb';
import type { Kind } from '../documents/kinds.ts';
import { toAnswer } from '../documents/view.ts';
import type { Pace } from '../storage/pace.ts';
import type { TemporaryFolder } from '../storage/temporary-folder.ts';
import { drain } from './drain.ts';
import { receive } from './receive.ts';
import type { Reserving } from './reservation.ts';
import type { Uploads } from './uploads.ts';

/** The most that a form adds to the file in it, in bytes. */
const FORM_BYTES = 16 * 1024;

export interface PostOptions {
  uploads: Uploads;
  temporary: TemporaryFolder;
  reserving: Reserving;
  pace: Pace;
  /** Throws ContractError `unavailable` when the disk has no room. */
  requireRoom(): void;
  maxUploadBytes: number;
}

export function createPost(kind: Kind, options: PostOptions) {
  const { uploads, temporary, reserving, pace, requireRoom, maxUploadBytes } = options;

  /** How large a file is at least; 0 for media, since a picture may take less room once it is stored. */
  function leastSize({ headers }: FastifyRequest): number {
    if (kind.name === 'media') return 0;
    return Math.min(Number(headers['content-length'] ?? 0) - FORM_BYTES, maxUploadBytes);
  }

  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const id = new ObjectId();
    const uploaderId = request.caller.userId;
    const accepting = temporary.with((files) =>
      reserving({ id, uploaderId, size: leastSize(request) }, async () => {
        const target = { file: files.newPath(), maxBytes: maxUploadBytes, requireRoom, rest: pace.rest };
        const received = await receive(request, target);
        return uploads[kind.name]({ id, uploaderId, received, files });
      }),
    );
    const document = await accepting.catch(async (error: unknown) => {
      await drain(request);
      throw error;
    });
    return reply.code(201).send(toAnswer(document));
  };
}

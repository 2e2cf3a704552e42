/** `POST /media` and `POST /files`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Kind } from '../documents/kinds.ts';
import { toAnswer } from '../documents/view.ts';
import type { Pace } from '../storage/pace.ts';
import type { TemporaryFolder } from '../storage/temporary-folder.ts';
import { receive } from './receive.ts';
import type { Uploads } from './uploads.ts';

export interface PostOptions {
  uploads: Uploads;
  temporary: TemporaryFolder;
  pace: Pace;
  maxUploadBytes: number;
}

export function createPost({ name }: Kind, { uploads, temporary, pace, maxUploadBytes }: PostOptions) {
  return (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    temporary.with(async (files) => {
      const target = { file: files.newPath(), maxBytes: maxUploadBytes, rest: pace.rest };
      const received = await receive(request, target);
      const document = await uploads[name]({ uploaderId: request.caller.userId, received, files });
      return reply.code(201).send(toAnswer(document));
    });
}

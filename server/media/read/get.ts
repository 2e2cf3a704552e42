/** `GET` of an upload, of its thumbnail and of its document, and links to it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import { keyOf } from '../documents/filenames.ts';
import type { Kind } from '../documents/kinds.ts';
import { toAnswer } from '../documents/view.ts';
import type { MediaStorage } from '../storage/storage.ts';
import type { FindReadable } from './access.ts';
import { contentDisposition } from './content-disposition.ts';
import type { Counter } from './counter.ts';
import type { Links } from './links.ts';
import { serve } from './serve.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

export interface GetOptions {
  findReadable: FindReadable;
  storage: MediaStorage;
  counter: Counter;
  links: Links;
  /** The origin that clients use, if it is configured. */
  publicUrl: string | undefined;
}

/** The handlers for a kind of uploads. */
export function createGet(kind: Kind, { findReadable, storage, counter, links, publicUrl }: GetOptions) {
  const { collection, path } = kind;
  return {
    async bytes(request: ById, reply: FastifyReply): Promise<FastifyReply> {
      const upload = await findReadable(collection, request.params.id, request.readerId);
      const served = {
        key: keyOf(upload.filename),
        size: upload.file_size,
        mimeType: upload.mime_type,
        disposition: contentDisposition(kind.disposition, upload.original_filename),
      };
      return serve(request, reply, storage, served, () => {
        if (!upload.uploader_id.equals(request.readerId)) counter.count(upload._id);
      });
    },

    async thumbnail(request: ById, reply: FastifyReply): Promise<FastifyReply> {
      const upload = await findReadable(collection, request.params.id, request.readerId);
      if (!('media_type' in upload)) throw notFound('there is no thumbnail');
      const { thumbnail, thumbnail_size: size } = upload;
      if (thumbnail === undefined || size === undefined) throw notFound('there is no thumbnail');
      const served = { key: keyOf(thumbnail), size, mimeType: 'image/webp', disposition: 'inline' };
      return serve(request, reply, storage, served, () => {});
    },

    async info({ params, caller }: ById) {
      await counter.settled(fromId(params.id));
      return toAnswer(await findReadable(collection, params.id, caller.userId));
    },

    async link(request: ById) {
      const { id } = request.params;
      await findReadable(collection, id, request.caller.userId);
      const { token, expiresAt } = await links.issue(request.caller.id, id);
      const origin = publicUrl ?? `${request.protocol}://${request.host}`;
      return { url: `${origin}${path}/${id}?token=${token}`, expires_at: expiresAt.toISOString() };
    },
  };
}

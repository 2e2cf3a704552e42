/** Who asks for an upload, by bearer or by link, and whether it may be theirs to read. */
import type { FastifyRequest } from 'fastify';
import type { Collection, ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { FileDocument, MediaDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { withDeadline } from '../lib/deadline.ts';
import { notFound, unauthenticated } from '../lib/errors.ts';
import type { Links } from './links.ts';
import type { Readers } from './readers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** In whose name an upload is read; set on routes that take links. */
    readerId: ObjectId;
  }
}

export interface Reading {
  /**
   * A hook that sets `request.readerId`: the bearer, or the maker of the link in `?token=`.
   * @throws ContractError `unauthenticated` without either
   */
  identify(request: FastifyRequest): Promise<void>;
  /** @throws ContractError `not_found` for what is not there, deleted, or not to be read by this user */
  find<D extends MediaDocument | FileDocument>(collection: Collection<D>, id: string, readerId: ObjectId): Promise<D>;
}

export interface ReadingOptions {
  collections: Collections;
  readers: Readers;
  links: Links;
  /** The hook that sets `request.caller`. */
  authenticate(request: FastifyRequest): Promise<void>;
}

export function createReading({ collections, readers, links, authenticate }: ReadingOptions): Reading {
  async function makerOf(token: string, uploadId: string): Promise<ObjectId> {
    const makerId = fromId(await links.verify(token, uploadId));
    const maker = await collections.users.findOne({ _id: makerId, is_active: true }, { projection: { _id: 1 } });
    if (!maker) throw notFound('no such upload');
    return makerId;
  }

  async function find<D extends MediaDocument | FileDocument>(
    collection: Collection<D>,
    id: string,
    readerId: ObjectId,
  ): Promise<D> {
    const uploads = collection as unknown as Collection<MediaDocument | FileDocument>;
    const found = await uploads.findOne({ _id: fromId(id), is_deleted: false });
    if (!found || !(await readers.mayRead(readerId, found))) throw notFound('no such upload');
    return found as D;
  }

  return {
    async identify(request) {
      const { token } = request.query as { token?: unknown };
      if (request.headers.authorization !== undefined || token === undefined) {
        await authenticate(request);
        request.readerId = request.caller.userId;
        return;
      }
      // Not yet validated: a token that is none, or an id that is none, fits no link.
      if (typeof token !== 'string') throw unauthenticated();
      request.readerId = await withDeadline(makerOf(token, (request.params as { id: string }).id));
    },
    find: (collection, id, readerId) => withDeadline(find(collection, id, readerId)),
  };
}

/** Identifies who reads an upload: by bearer, or by a link. */
import type { FastifyRequest } from 'fastify';
import type { ObjectId } from 'mongodb';
import { withDeadline } from '../../lib/deadline.ts';
import { notFound, unauthenticated } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { Links } from './links.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** In whose name an upload is read; set on routes that accept links. */
    readerId: ObjectId;
  }
}

export interface ReaderHookOptions {
  collections: Pick<Collections, 'users'>;
  links: Links;
  /** The hook that sets `request.caller`. */
  authenticate(request: FastifyRequest): Promise<void>;
}

/**
 * @returns a hook that sets `request.readerId` to the bearer, or to the maker of the link in `?token=`; it throws
 *   ContractError `unauthenticated` without either, `not_found` when the maker's account is no longer active
 */
export function createReaderHook({ collections, links, authenticate }: ReaderHookOptions) {
  async function makerOf(token: string, uploadId: string): Promise<ObjectId> {
    const makerId = fromId(await links.verify(token, uploadId));
    const maker = await collections.users.findOne({ _id: makerId, is_active: true }, { projection: { _id: 1 } });
    if (!maker) throw notFound('no such upload');
    return makerId;
  }

  return async (request: FastifyRequest): Promise<void> => {
    const { token } = request.query as { token?: unknown };
    if (request.headers.authorization !== undefined || token === undefined) {
      await authenticate(request);
      request.readerId = request.caller.userId;
      return;
    }
    // Hooks run before validation: the query may hold anything, and the id may be none, which fits no link.
    if (typeof token !== 'string') throw unauthenticated();
    request.readerId = await withDeadline(makerOf(token, (request.params as { id: string }).id));
  };
}

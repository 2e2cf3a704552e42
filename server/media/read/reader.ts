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
 *   ContractError `unauthenticated` without either, and for a link from before its maker was deactivated; `not_found` while the
 *   maker's account is not active
 */
export function createReaderHook({ collections, links, authenticate }: ReaderHookOptions) {
  async function makerOf(token: string, uploadId: string): Promise<ObjectId> {
    const { makerId, madeAt } = await links.verify(token, uploadId);
    const projection = { deactivated_at: 1 };
    const maker = await collections.users.findOne({ _id: fromId(makerId), is_active: true }, { projection });
    if (!maker) throw notFound('no such upload');
    if (maker.deactivated_at && madeAt <= maker.deactivated_at) throw unauthenticated('the link has ended');
    return maker._id;
  }

  return async (request: FastifyRequest): Promise<void> => {
    const { token } = request.query as { token?: unknown };
    if (request.headers.authorization !== undefined || token === undefined) {
      await authenticate(request);
      request.readerId = request.caller.userId;
      return;
    }
    // Hooks run before validation: the query may hold anything, and the id may be malformed, which fits no link.
    if (typeof token !== 'string') throw unauthenticated();
    request.readerId = await withDeadline(makerOf(token, (request.params as { id: string }).id));
  };
}

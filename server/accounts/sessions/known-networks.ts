/**
 * The networks that a user's sessions come from. Each session keeps a tag of the last one (HMAC-SHA-256, truncated to 128
 * bits): enough to recognise a network, not to read it.
 */
import { createHmac } from 'node:crypto';
import type { KeyRing } from '../../lib/key-ring.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';

const TAG_BYTES = 16;

export interface KnownNetworks {
  tagOf(network: string): string;
  /** Whether a live session of the user comes from the network. */
  isKnown(userId: string, network: string): Promise<boolean>;
}

export interface KnownNetworksOptions {
  collections: Pick<Collections, 'sessions'>;
  /** Secret, the same on every node. */
  keys: KeyRing;
  clock(): Date;
}

export function createKnownNetworks({ collections, keys, clock }: KnownNetworksOptions): KnownNetworks {
  const tagBy = (key: Buffer, network: string) =>
    createHmac('sha256', key).update(network).digest().subarray(0, TAG_BYTES).toString('base64url');
  return {
    tagOf: (network) => tagBy(keys[0], network),
    async isKnown(userId, network) {
      const found = await collections.sessions.findOne(
        {
          user_id: fromId(userId),
          network: { $in: keys.map((key) => tagBy(key, network)) },
          revoked_at: { $exists: false },
          expires_at: { $gt: clock() },
        },
        { projection: { _id: 1 } },
      );
      return found !== null;
    },
  };
}

/** Who presents a server key: one that is stored, or that of `API_KEY`, which needs no store. */
import { timingSafeEqual } from 'node:crypto';
import type { ServerKey } from '../../http/authentication.ts';
import { batched } from '../../lib/group-commit.ts';
import { hashToken } from '../../lib/token-hash.ts';
import type { Collections } from '../../model/collections.ts';
import { idIn } from './key.ts';
import type { NoteUse } from './use-notes.ts';

/** What the key of `API_KEY` is called; no stored key has such an id. */
const API_KEY: ServerKey = { id: 'API_KEY', name: 'API_KEY' };

export interface KeyIdentification {
  /** Whether a bearer is to be taken for a server key: it has the form of one, or is that of `API_KEY`. */
  isKey(bearer: string): boolean;
  /**
   * Each stored key is looked up at each use, so that one that was revoked is refused at once. Concurrent look-ups share a
   * query.
   * @returns whose key it is; undefined for any other bearer
   */
  identify(bearer: string): Promise<ServerKey | undefined>;
}

export interface KeyIdentificationOptions {
  collections: Pick<Collections, 'server_keys'>;
  apiKey: string | undefined;
  noteUse: NoteUse;
}

export function createKeyIdentification(options: KeyIdentificationOptions): KeyIdentification {
  const { collections, apiKey, noteUse } = options;
  const apiKeyHash = apiKey === undefined ? undefined : hashToken(apiKey);
  const isApiKey = (bearer: string) => apiKeyHash !== undefined && isEqual(hashToken(bearer), apiKeyHash);

  const find = batched('server keys', async (ids: readonly string[]) => {
    const found = await collections.server_keys.find({ _id: { $in: [...new Set(ids)] } }).toArray();
    const byId = new Map(found.map((key) => [key._id, key]));
    return ids.map((id) => byId.get(id));
  });

  return {
    isKey: (bearer) => idIn(bearer) !== undefined || isApiKey(bearer),
    async identify(bearer) {
      if (isApiKey(bearer)) return API_KEY;
      const id = idIn(bearer);
      const key = id === undefined ? undefined : await find(id);
      if (!key || !isEqual(hashToken(bearer), key.hash)) return undefined;
      noteUse(key);
      return { id: key._id, name: key.name };
    },
  };
}

/** Compares hashes, which are of one length, in constant time. */
function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

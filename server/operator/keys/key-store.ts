/** The stored server keys: made, listed and revoked by `npm run keys`, and looked up at each use. */
import { hashToken } from '../../lib/token-hash.ts';
import type { Collections } from '../../model/collections.ts';
import type { ServerKeyDocument } from '../../model/documents/operator.ts';
import { insertOnce } from '../../model/insert-once.ts';
import { makeKey } from './key.ts';

export interface KeyStore {
  /** Makes a key. @returns the key, which is stored nowhere */
  create(name: string): Promise<string>;
  /** All keys, the oldest first. */
  list(): Promise<ServerKeyDocument[]>;
  /** Ends a key, on every node from the next request on. @returns whether there was one */
  revoke(id: string): Promise<boolean>;
}

export function createKeyStore({ server_keys }: Pick<Collections, 'server_keys'>, clock: () => Date): KeyStore {
  return {
    async create(name) {
      const { id, key } = makeKey();
      await insertOnce(server_keys, { _id: id, name, hash: hashToken(key), created_at: clock() });
      return key;
    },
    list: () => server_keys.find().sort({ created_at: 1, _id: 1 }).toArray(),
    async revoke(id) {
      const { deletedCount } = await server_keys.deleteOne({ _id: id });
      return deletedCount === 1;
    },
  };
}

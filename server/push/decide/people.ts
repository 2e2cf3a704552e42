import type { ObjectId } from 'mongodb';
import type { Collections } from '../../model/collections.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { Person } from '../payloads.ts';

/** Who is named in payloads, by id. */
export type ReadPeople = (ids: readonly ObjectId[]) => Promise<Map<string, Person>>;

/** @returns reads them by one command; for no ids, by none */
export function createReadPeople({ users }: Pick<Collections, 'users'>): ReadPeople {
  return async (ids) => {
    if (ids.length === 0) return new Map();
    const found = await users
      .find<Pick<UserDocument, '_id' | 'username' | 'full_name'>>(
        { _id: { $in: [...ids] } },
        { projection: { username: 1, full_name: 1 }, batchSize: ids.length + 1 },
      )
      .toArray();
    return new Map(
      found.map(({ _id, username, full_name }) => {
        const user_id = _id.toHexString();
        return [user_id, { user_id, username, full_name }];
      }),
    );
  };
}

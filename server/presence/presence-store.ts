/** The stored presence of users: one document each, made when the first device connects. */
import type { Filter } from 'mongodb';
import type { Presence } from '../../shared/contract/documents.ts';
import { batched } from '../lib/group-commit.ts';
import { upsertAll } from '../model/batches.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { PresenceDocument } from '../model/documents/presence.ts';

/** How users are shown who are not offline. */
export const PRESENT = ['online', 'away', 'busy'] as const;
export type PresentStatus = (typeof PRESENT)[number];

/** What to write about a user. It is news only if the filter matches, which must contain `_id`. */
export interface News {
  filter: Filter<PresenceDocument>;
  set: Partial<PresenceDocument>;
}

export interface PresenceStore {
  /** The documents of those users who have one, by user id. */
  read(userIds: string[]): Promise<Map<string, PresenceDocument>>;
  /** What those see who may not see more, and what everyone sees of a user who never connected; by user id. */
  readHidden(userIds: string[]): Promise<Map<string, Presence>>;
  /** Users who are shown as present with one status, in the order of their ids: the next ones after a user. */
  findPresent(status: PresentStatus, behind: string | undefined, limit: number): Promise<string[]>;
  /** Writes news about a user with or without a document; resolves with whether it was news. */
  upsert(news: News): Promise<boolean>;
  /** Writes news about a user, if there is a document; resolves with whether it was news. */
  update(news: News): Promise<boolean>;
  setLastSeen(userId: string, at: Date): Promise<void>;
  /** Removes what a user told, except the status. */
  eraseDetails(userId: string): Promise<void>;
}

const NEXT_VERSION = { version: 1 };

export function createPresenceStore({ presence, users }: Pick<Collections, 'presence' | 'users'>): PresenceStore {
  return {
    async read(userIds) {
      const found = await presence.find({ _id: { $in: userIds.map(fromId) } }).toArray();
      return new Map(found.map((document) => [document._id.toHexString(), document]));
    },
    async readHidden(userIds) {
      const found = await users
        .find({ _id: { $in: userIds.map(fromId) } }, { projection: { created_at: 1 } })
        .toArray();
      return new Map(
        found.map(({ _id, created_at }) => [
          _id.toHexString(),
          toWire({ _id, user_id: _id, status: 'offline' as const, last_active: created_at }),
        ]),
      );
    },
    async findPresent(status, behind, limit) {
      const found = await presence
        .find(
          { status, ...(behind === undefined ? {} : { _id: { $gt: fromId(behind) } }) },
          { projection: { _id: 1 }, sort: { _id: 1 }, limit },
        )
        .toArray();
      return found.map(({ _id }) => _id.toHexString());
    },
    upsert: batched('presence', (news: readonly News[]) =>
      upsertAll(
        presence,
        news.map(({ filter, set }) => ({ filter, update: { $set: set, $inc: NEXT_VERSION } })),
      ),
    ),
    async update({ filter, set }) {
      return (await presence.updateOne(filter, { $set: set, $inc: NEXT_VERSION })).matchedCount === 1;
    },
    async eraseDetails(userId) {
      const told = { custom_status: true as const, device_info: true as const };
      await presence.updateOne({ _id: fromId(userId) }, { $unset: told, $inc: NEXT_VERSION });
    },
    async setLastSeen(userId, at) {
      await users.updateOne({ _id: fromId(userId) }, { $max: { last_seen: at } });
    },
  };
}

/** The wire form of stored presence. */
export function toPresence({ version: _, ...document }: PresenceDocument): Presence {
  return toWire(document);
}

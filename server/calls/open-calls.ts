/** Queries over open calls: those that are not over. */
import type { Filter } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { CallDocument } from '../model/documents/calls.ts';
import type { Call } from './call.ts';
import { toCall } from './document.ts';

export interface OpenCalls {
  /** The calls of a conversation, and those that any of the users are in. */
  around(conversationId: string, userIds: string[]): Promise<Call[]>;
  /** The call of a conversation. */
  of(conversationId: string): Promise<Call | undefined>;
  /** The call that a user has a seat in. */
  seatedIn(userId: string): Promise<Call | undefined>;
  /** The calls that ring for a user. Concurrent requests share one query. */
  ringingFor(userId: string): Promise<Call[]>;
  /** The calls whose changes a user is told, and those of the groups. */
  concerning(userId: string, groupIds: string[]): Promise<Call[]>;
  /** The calls with a deadline up to a time, the earliest first. */
  due(until: Date, limit: number): Promise<{ id: string; at: Date }[]>;
  /** The nodes that hold a seat. */
  seatedNodes(): Promise<string[]>;
  /** The calls with a seat on one of the nodes. */
  seatedOn(nodeIds: string[]): Promise<Call[]>;
}

export function createOpenCalls({ calls }: Pick<Collections, 'calls'>): OpenCalls {
  const findAll = async (filter: Filter<CallDocument>) =>
    (await calls.find({ is_open: true, ...filter }).toArray()).map(toCall);

  return {
    async around(conversationId, userIds) {
      const [here, seated] = await Promise.all([
        findAll({ conversation_id: conversationId }),
        findAll({ 'seats.user_id': { $in: userIds.map(fromId) } }),
      ]);
      return [...here, ...seated.filter((call) => call.conversation_id !== conversationId)];
    },
    of: async (conversationId) => (await findAll({ conversation_id: conversationId }))[0],
    seatedIn: async (userId) => (await findAll({ 'seats.user_id': fromId(userId) }))[0],
    ringingFor: batched('ringing calls', async (userIds: readonly string[]) => {
      const told = await findAll({ told_ids: { $in: [...new Set(userIds)].map(fromId) } });
      return userIds.map((userId) => told.filter((call) => call.ringing_ids.includes(userId)));
    }),
    concerning: (userId, groupIds) =>
      // The indexes hold open calls only, so each alternative must ask for open calls.
      findAll({
        $or: [
          { is_open: true, told_ids: fromId(userId) },
          { is_open: true, conversation_id: { $in: groupIds } },
        ],
      }),
    async due(until, limit) {
      const found = await calls
        .find({ is_open: true, deadline_at: { $lte: until } }, { projection: { deadline_at: 1 } })
        .sort({ deadline_at: 1 })
        .limit(limit)
        .toArray();
      return found.map(({ _id, deadline_at }) => ({ id: _id.toHexString(), at: deadline_at! }));
    },
    async seatedNodes() {
      // `$gt: ''` is true of every id; it is there so that the query uses the index.
      const found = await calls.distinct('seats.node_id', { is_open: true, 'seats.node_id': { $gt: '' } });
      return found.filter((id) => id !== undefined);
    },
    seatedOn: (nodeIds) => findAll({ 'seats.node_id': { $in: nodeIds } }),
  };
}

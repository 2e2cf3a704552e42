/** Calls in the database: the one translation between stored documents and the machine's values, and every query. */
import { type Filter, ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { CallDocument, CallSeat } from '../model/documents/calls.ts';
import { isUnavailable } from '../model/failures.ts';
import { fromId } from '../model/codec.ts';
import { type Call, durationOf, isOver, nextDue, type Seat } from './call.ts';
import { batched } from '../lib/group-commit.ts';

/** A place in the history: what comes after it is older. */
export interface HistoryPlace {
  started_at: Date;
  id: string;
}

export interface CallStore {
  find(id: string): Promise<Call | undefined>;
  /** What the relay of signals needs to know, and no more: one read by the primary key. */
  findSeats(id: string): Promise<Pick<Call, 'status' | 'seats'> | undefined>;
  /** Stores a new call. A duplicate key means that its conversation has an open one or its caller is in another. */
  insert(call: Call): Promise<void>;
  /**
   * Stores the next version of a call, if it still is at the one before. A duplicate key means that somebody who
   * comes in is in another call.
   * @returns false when another change was first
   */
  advance(call: Call): Promise<boolean>;
  /** Open calls of a conversation, or with one of the users in them. */
  openAround(conversationId: string, userIds: string[]): Promise<Call[]>;
  /** Ids of open calls whose deadline has passed. */
  due(now: Date, limit: number): Promise<string[]>;
  /** The nodes that hold a seat of an open call. */
  seatedNodes(): Promise<string[]>;
  /** Open calls with a seat on one of the nodes. */
  seatedOn(nodeIds: string[]): Promise<Call[]>;
  /** The open call of a conversation. */
  openOf(conversationId: string): Promise<Call | undefined>;
  /** The open call that a user is in. */
  seatedIn(userId: string): Promise<Call | undefined>;
  /** Open calls that ring for a user. */
  ringingFor(userId: string): Promise<Call[]>;
  /** Open calls that a user is told of, or of one of the groups. */
  openFor(userId: string, groupIds: string[]): Promise<Call[]>;
  /** Calls of a user and of the groups, newest first. */
  history(userId: string, groupIds: string[], before: HistoryPlace | undefined, limit: number): Promise<Call[]>;
}

export function createCallStore({ calls }: Collections): CallStore {
  const many = async (filter: Filter<CallDocument>) => (await calls.find(filter).toArray()).map(toCall);

  const ringingFor = batched(async (userIds: readonly string[]) => {
    const told = await many({ is_open: true, told_ids: { $in: [...new Set(userIds)].map(fromId) } });
    return userIds.map((userId) => told.filter((call) => call.ringing_ids.includes(userId)));
  });

  /** Carries out a write; where its answer is lost, asks whether it arrived. */
  async function certain(id: ObjectId, writeId: ObjectId, write: () => Promise<boolean>): Promise<boolean> {
    try {
      return await write();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const arrived = await calls.findOne({ _id: id, write_id: writeId }, { projection: { _id: 1 } });
      if (!arrived) throw error;
      return true;
    }
  }

  async function page(filter: Filter<CallDocument>, before: HistoryPlace | undefined, limit: number) {
    const older: Filter<CallDocument> = before
      ? {
          $or: [
            { started_at: { $lt: before.started_at } },
            { started_at: before.started_at, _id: { $lt: fromId(before.id) } },
          ],
        }
      : {};
    const bound: Filter<CallDocument> = before ? { started_at: { $lte: before.started_at } } : {};
    return calls
      .find({ $and: [filter, bound, older] })
      .sort({ started_at: -1, _id: -1 })
      .limit(limit)
      .toArray();
  }

  return {
    async find(id) {
      const found = await calls.findOne({ _id: fromId(id) });
      return found ? toCall(found) : undefined;
    },
    async findSeats(id) {
      const found = await calls.findOne({ _id: fromId(id) }, { projection: { status: 1, seats: 1 } });
      return found ? { status: found.status, seats: found.seats.map(toSeat) } : undefined;
    },
    async insert(call) {
      const document = toDocument(call);
      await certain(document._id, document.write_id, async () => {
        await calls.insertOne(document);
        return true;
      });
    },
    async advance(call) {
      const document = toDocument(call);
      return certain(document._id, document.write_id, async () => {
        const { matchedCount } = await calls.replaceOne({ _id: document._id, version: call.version - 1 }, document);
        return matchedCount === 1;
      });
    },
    async openAround(conversationId, userIds) {
      const [here, elsewhere] = await Promise.all([
        many({ is_open: true, conversation_id: conversationId }),
        many({ is_open: true, 'seats.user_id': { $in: userIds.map(fromId) } }),
      ]);
      return [...here, ...elsewhere.filter((call) => call.conversation_id !== conversationId)];
    },
    async due(now, limit) {
      const found = await calls
        .find({ is_open: true, deadline_at: { $lte: now } }, { projection: { _id: 1 } })
        .limit(limit)
        .toArray();
      return found.map((call) => call._id.toHexString());
    },
    async seatedNodes() {
      // The comparison asks nothing of the names: it is what the index is looked up by.
      const found = await calls.distinct('seats.node_id', { is_open: true, 'seats.node_id': { $gt: '' } });
      return found.filter((id) => id !== undefined);
    },
    seatedOn: (nodeIds) => many({ is_open: true, 'seats.node_id': { $in: nodeIds } }),
    async openOf(conversationId) {
      const [found] = await many({ is_open: true, conversation_id: conversationId });
      return found;
    },
    async seatedIn(userId) {
      const [found] = await many({ is_open: true, 'seats.user_id': fromId(userId) });
      return found;
    },
    ringingFor,
    async openFor(userId, groupIds) {
      const [told, ofGroups] = await Promise.all([
        many({ is_open: true, told_ids: fromId(userId) }),
        many({ is_open: true, conversation_id: { $in: groupIds } }),
      ]);
      return [...new Map([...told, ...ofGroups].map((call) => [call.id, call])).values()];
    },
    async history(userId, groupIds, before, limit) {
      const pages = await Promise.all([
        page({ party_ids: fromId(userId) }, before, limit),
        groupIds.length > 0 ? page({ group_id: { $in: groupIds.map(fromId) } }, before, limit) : [],
      ]);
      return pages
        .flat()
        .sort(
          (a, b) =>
            b.started_at.getTime() - a.started_at.getTime() || (a._id.toHexString() < b._id.toHexString() ? 1 : -1),
        )
        .slice(0, limit)
        .map(toCall);
    },
  };
}

const hex = (id: ObjectId) => id.toHexString();

function toSeat({ user_id, socket_id, node_id, lost_until }: CallSeat): Seat {
  return lost_until
    ? { user_id: hex(user_id), lost_until }
    : { user_id: hex(user_id), socket_id: socket_id!, node_id: node_id! };
}

function toCall(document: CallDocument): Call {
  return {
    id: hex(document._id),
    kind: document.group_id ? 'group' : 'direct',
    conversation_id: document.conversation_id,
    caller_id: hex(document.caller_id),
    ...(document.recipient_id ? { recipient_id: hex(document.recipient_id) } : {}),
    ...(document.group_id ? { group_id: hex(document.group_id) } : {}),
    call_type: document.call_type,
    metadata: document.metadata,
    status: document.status,
    started_at: document.started_at,
    ...(document.answered_at ? { answered_at: document.answered_at } : {}),
    ...(document.ended_at ? { ended_at: document.ended_at } : {}),
    participants: document.participants.map((stay) => ({ ...stay, user_id: hex(stay.user_id) })),
    seats: document.seats.map(toSeat),
    ringing_ids: document.ringing_ids.map(hex),
    told_ids: document.told_ids.map(hex),
    ...(document.ring_until ? { ring_until: document.ring_until } : {}),
    version: document.version,
  };
}

function toDocument(call: Call): CallDocument {
  const { id, kind, caller_id, recipient_id, group_id, participants, seats, ringing_ids, told_ids, ...same } = call;
  const due = nextDue(call);
  return {
    ...same,
    _id: fromId(id),
    caller_id: fromId(caller_id),
    ...(recipient_id ? { recipient_id: fromId(recipient_id), party_ids: [caller_id, recipient_id].map(fromId) } : {}),
    ...(group_id ? { group_id: fromId(group_id) } : {}),
    duration: durationOf(call),
    participants: participants.map((stay) => ({ ...stay, user_id: fromId(stay.user_id) })),
    seats: seats.map((seat) => ({ ...seat, user_id: fromId(seat.user_id) })),
    ringing_ids: ringing_ids.map(fromId),
    told_ids: told_ids.map(fromId),
    ...(due ? { deadline_at: due.at } : {}),
    ...(isOver(call) ? {} : { is_open: true }),
    write_id: new ObjectId(),
  };
}

/** The wire form of conversations as one user sees them, made for many at once by a constant number of queries. */
import type { ObjectId } from 'mongodb';
import type { Conversation, Receipt } from '../../shared/contract/documents.ts';
import { toPublicUser } from '../model/views/user.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument, UserDocument } from '../model/documents.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import { activityOf, type Place, type Places } from './places.ts';
import type { CheckedSummary, Summaries } from './summaries.ts';
import { type State, stateOf } from '../model/state.ts';

/** One answer of the database holds them all: a second round trip only above it. */
const ONE_BATCH = 10_000;

/** A place whose summary is what the messages say. */
export interface CheckedPlace extends Place {
  summary: CheckedSummary;
}

/** A conversation as its user sees it, and which state of it that is. */
export interface CurrentView {
  conversation: Conversation;
  state: State;
}

export interface ConversationViews {
  /** The places with their summaries checked; pairs in which nothing was ever written are left out. */
  check(places: Place[]): Promise<CheckedPlace[]>;
  /** The wire form of conversations, in the order given. */
  of(userId: ObjectId, places: CheckedPlace[]): Promise<Conversation[]>;
  /** One conversation; undefined where the user is not in it, or nothing was ever written. */
  one(userId: ObjectId, conversationId: string): Promise<CurrentView | undefined>;
}

export interface ViewsOptions {
  collections: Collections;
  store: MessageStore;
  places: Places;
  summaries: Summaries;
}

export function createConversationViews({ collections, store, places, summaries }: ViewsOptions): ConversationViews {
  const { memberships, users } = collections;

  /** Every member's marks, by conversation. Without a limit: a group's members are limited. */
  async function marksOf(found: CheckedPlace[]): Promise<Map<string, MembershipDocument[]>> {
    const byConversation = new Map<string, MembershipDocument[]>();
    const cursor = memberships.find(
      { conversation_id: { $in: found.map(({ id }) => id) } },
      {
        projection: { conversation_id: 1, user_id: 1, delivered_seq: 1, read_seq: 1, shown_read_seq: 1 },
        batchSize: ONE_BATCH,
      },
    );
    for await (const marks of cursor) {
      const known = byConversation.get(marks.conversation_id);
      if (known) known.push(marks);
      else byConversation.set(marks.conversation_id, [marks]);
    }
    return byConversation;
  }

  /** The user and the others of the pairs. */
  async function usersOf(userId: ObjectId, found: CheckedPlace[]): Promise<Map<string, UserDocument>> {
    const ids = found.flatMap(({ membership }) => membership.peer_id ?? []);
    const documents = await users.find({ _id: { $in: [userId, ...ids] } }, { batchSize: ONE_BATCH }).toArray();
    return new Map(documents.map((user) => [user._id.toHexString(), user]));
  }

  /** How many messages of others are visible and neither read nor deleted, by conversation. */
  async function unreadOf(userId: ObjectId, found: CheckedPlace[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    await Promise.all(
      (['direct', 'group'] as const).map(async (kind) => {
        const alternatives = found.flatMap(({ id, summary, membership, fromSeq }) => {
          const above = Math.max(fromSeq, membership.read_seq);
          if (summary.kind !== kind || above >= summary.last_seq) return [];
          // All conditions within each alternative: the index is bounded by all of them.
          return [{ conversation_id: id, is_deleted: false, seq: { $gt: above }, sender_id: { $ne: userId } }];
        });
        if (alternatives.length === 0) return;
        const cursor = store
          .of(kind)
          .aggregate<{ _id: string; count: number }>(
            [
              { $match: { $or: alternatives } },
              { $project: { _id: 0, conversation_id: 1 } },
              { $group: { _id: '$conversation_id', count: { $sum: 1 } } },
            ],
            { batchSize: ONE_BATCH },
          );
        for await (const { _id, count } of cursor) counts.set(_id, count);
      }),
    );
    return counts;
  }

  async function of(userId: ObjectId, found: CheckedPlace[]): Promise<Conversation[]> {
    if (found.length === 0) return [];
    const [marks, people, unread] = await Promise.all([
      marksOf(found),
      usersOf(userId, found),
      unreadOf(userId, found),
    ]);
    const seesReadings = people.get(userId.toHexString())?.settings.read_receipts_enabled !== false;
    return found.map((place) => {
      const { id, summary, membership, group, fromSeq } = place;
      const peer = membership.peer_id && people.get(membership.peer_id.toHexString());
      const members = group && new Set(group.members.map((member) => member.toHexString()));
      const last = summary.last_message;
      return {
        conversation_id: id,
        kind: summary.kind,
        ...(peer ? { peer: toPublicUser(peer) } : {}),
        ...(group ? { group: toWireGroup(group) } : {}),
        last_message: last && last.seq > fromSeq ? toWireMessage(last) : null,
        last_seq: summary.last_seq,
        rev: summary.rev,
        unread_count: unread.get(id) ?? 0,
        receipts: (marks.get(id) ?? [])
          .filter(({ user_id }) => members?.has(user_id.toHexString()) ?? true)
          .map((member) => receiptOf(member, userId, !group || seesReadings)),
        ...settingsOf(membership),
        updated_at: activityOf(place).toISOString(),
      };
    });
  }

  async function check(found: Place[]): Promise<CheckedPlace[]> {
    const checked = await summaries.check(found.map(({ summary }) => summary));
    return found
      .map((place, i) => ({ ...place, summary: checked[i]! }))
      .filter(({ summary }) => summary.kind === 'group' || summary.last_seq > 0);
  }

  return {
    check,
    of,
    async one(userId, conversationId) {
      const [place] = await check(await places.named(userId, [conversationId]));
      if (!place) return undefined;
      const [conversation] = await of(userId, [place]);
      const state = stateOf('conversation', `${userId} ${conversationId}`, place.membership.version);
      return { conversation: conversation!, state };
    },
  };
}

/** A member's marks as a viewer may see them: the own ones as they are, those of others without hidden readings. */
function receiptOf(member: MembershipDocument, viewer: ObjectId, seesReadings: boolean): Receipt {
  const { user_id, delivered_seq, read_seq, shown_read_seq } = member;
  const user = user_id.toHexString();
  // A reading under a block tells nobody of a delivery, but the reader's own devices know better.
  if (user_id.equals(viewer)) return { user_id: user, delivered_seq: Math.max(delivered_seq, read_seq), read_seq };
  return { user_id: user, delivered_seq, read_seq: seesReadings ? shown_read_seq : 0 };
}

function settingsOf({ muted_until, pinned, archived }: MembershipDocument) {
  return {
    ...(muted_until ? { muted_until: muted_until.toISOString() } : {}),
    ...(pinned === undefined ? {} : { pinned }),
    ...(archived === undefined ? {} : { archived }),
  };
}

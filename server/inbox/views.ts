/** Makes the wire form of many conversations at once by a constant number of queries. */
import type { ObjectId } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { type State, stateOf } from '../model/state.ts';
import { type Marks, toWireConversation } from './conversation-view.ts';
import { ONE_BATCH } from './one-batch.ts';
import type { CheckedPlace, Place } from './place.ts';
import type { Places } from './places.ts';
import { countUnread } from './unread-counts.ts';

/** Above so many marks they are read in batches, so that the database and this process do other work in between. */
const MANY_MARKS = 2000;
const MARKS_BATCH = 200;

/** A conversation as its user sees it, and which version of it that is. */
export interface CurrentView {
  conversation: Conversation;
  state: State;
}

export interface ConversationViews {
  /** The wire form of a user's conversations, in the order given. */
  of(userId: ObjectId, places: CheckedPlace[]): Promise<Conversation[]>;
  /** One conversation as it is now; undefined if the user is not in it, or nothing was ever written in the pair. */
  current(userId: ObjectId, conversationId: string): Promise<CurrentView | undefined>;
}

export interface ViewsOptions {
  collections: Pick<Collections, 'memberships' | 'users'>;
  store: MessageStore;
  places: Places;
}

export function createConversationViews({ collections, store, places }: ViewsOptions): ConversationViews {
  async function viewsOf(userId: ObjectId, found: CheckedPlace[]): Promise<Conversation[]> {
    if (found.length === 0) return [];
    const [marks, users, unread] = await Promise.all([
      readMarks(collections.memberships, found),
      readUsers(collections.users, userId, found),
      countUnread(store, userId, found),
    ]);
    return found.map((place) => toWireConversation(place, { userId, users, marks, unread }));
  }

  return {
    of: viewsOf,
    async current(userId, conversationId) {
      const found = await places.find(userId, conversationId);
      const [place] = found ? await places.check([found]) : [];
      if (!place) return undefined;
      const [conversation] = await viewsOf(userId, [place]);
      const state = stateOf('conversation', `${userId} ${conversationId}`, place.membership.version);
      return { conversation: conversation!, state };
    },
  };
}

/** The marks of all who are or were in the conversations. Unlimited, because the size of a group is limited. */
async function readMarks(
  memberships: Collections['memberships'],
  places: CheckedPlace[],
): Promise<Map<string, Marks[]>> {
  const byConversation = new Map(places.map(({ id }) => [id, [] as Marks[]]));
  const expected = places.reduce((sum, { group }) => sum + (group?.members.length ?? 2), 0);
  const cursor = memberships.find(
    { conversation_id: { $in: [...byConversation.keys()] } },
    {
      projection: {
        conversation_id: 1,
        user_id: 1,
        delivered_seq: 1,
        read_seq: 1,
        shown_read_seq: 1,
        shown_reads: 1,
        settling_from: 1,
        marks_at: 1,
      },
      batchSize: expected > MANY_MARKS ? MARKS_BATCH : ONE_BATCH,
    },
  );
  for await (const marks of cursor) byConversation.get(marks.conversation_id)?.push(marks);
  return byConversation;
}

/** The user and the peers of the pairs, by id. */
async function readUsers(
  users: Collections['users'],
  userId: ObjectId,
  places: Place[],
): Promise<Map<string, UserDocument>> {
  const peerIds = places.flatMap(({ membership }) => membership.peer_id ?? []);
  const found = await users.find({ _id: { $in: [userId, ...peerIds] } }, { batchSize: ONE_BATCH }).toArray();
  return new Map(found.map((user) => [user._id.toHexString(), user]));
}

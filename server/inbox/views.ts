/** Makes the wire form of many conversations at once by one command. */
import type { ObjectId } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { UNSETTLED_FIELDS } from '../conversations/shown-messages.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { DraftDocument, MembershipDocument } from '../model/documents/conversations.ts';
import { type State, stateOf } from '../model/state.ts';
import { type Marks, toWireConversation, type ViewSources } from './conversation-view.ts';
import { ONE_BATCH } from './one-batch.ts';
import type { CheckedPlace } from './place.ts';
import type { Places } from './places.ts';
import { openTogether, type Part } from './read-together.ts';
import { type MentionCount, mentionParts, type UnreadCount, unreadParts } from './unread-counts.ts';

/** Above so many marks they are read in batches, so that the store and this process do other work in between. */
const MANY_MARKS = 2000;
const MARKS_BATCH = 200;

/** What is read of marks. */
const MARKS = Object.fromEntries(
  [...UNSETTLED_FIELDS, 'read_seq' as const, 'shown_read_seq' as const, 'settling_from' as const].map((field) => [
    field,
    1,
  ]),
);

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
  collections: Pick<Collections, 'memberships' | 'users' | 'drafts'>;
  store: MessageStore;
  places: Places;
}

export function createConversationViews({ collections, store, places }: ViewsOptions): ConversationViews {
  const { memberships, users, drafts } = collections;

  function draftPart(userId: ObjectId, ids: string[]): Part[] {
    if (ids.length === 0) return [];
    return [{ collection: drafts, stages: [{ $match: { user_id: userId, conversation_id: { $in: ids } } }] }];
  }

  /** By one command. The marks come last: those of large groups are most of it. */
  function openSources(userId: ObjectId, found: CheckedPlace[]) {
    const peerIds = found.flatMap(({ membership }) => membership.peer_id ?? []);
    const expected = found.reduce((sum, { group }) => sum + (group?.members.length ?? 2), 0);
    const drafted = found.flatMap(({ id, membership: { draft_bytes } }) => (draft_bytes === undefined ? [] : [id]));
    return openTogether<UserDocument | UnreadCount | MentionCount | DraftDocument | ConversationMarks>(
      [
        { collection: users, stages: [{ $match: { _id: { $in: [userId, ...peerIds] } } }] },
        ...unreadParts(store, userId, found),
        ...mentionParts(store, userId, found),
        ...draftPart(userId, drafted),
        {
          collection: memberships,
          stages: [{ $match: { conversation_id: { $in: found.map(({ id }) => id) } } }, { $project: MARKS }],
        },
      ],
      { batchSize: expected > MANY_MARKS ? MARKS_BATCH : ONE_BATCH },
    );
  }

  async function readSources(userId: ObjectId, found: CheckedPlace[]): Promise<ViewSources> {
    const marks = new Map(found.map(({ id }) => [id, [] as Marks[]]));
    const sources: ViewSources = {
      userId,
      users: new Map(),
      marks,
      unread: new Map(),
      mentions: new Map(),
      drafts: new Map(),
    };
    for await (const one of openSources(userId, found)) {
      if ('read_seq' in one) marks.get(one.conversation_id)?.push(one);
      else if ('content' in one) sources.drafts.set(one.conversation_id, one);
      else if ('mentions' in one) sources.mentions.set(one._id, one.mentions);
      else if ('count' in one) sources.unread.set(one._id, one.count);
      else sources.users.set(one._id.toHexString(), one);
    }
    return sources;
  }

  async function viewsOf(userId: ObjectId, found: CheckedPlace[]): Promise<Conversation[]> {
    if (found.length === 0) return [];
    const sources = await readSources(userId, found);
    const lasts = await store.withThreads(found.flatMap(({ summary }) => summary.last_message ?? []));
    const lastOf = new Map(lasts.map((message) => [message.conversation_id, message]));
    return found.map((place) => {
      const last_message = lastOf.get(place.id);
      const summary = last_message ? { ...place.summary, last_message } : place.summary;
      return toWireConversation({ ...place, summary }, sources);
    });
  }

  return {
    of: viewsOf,
    async current(userId, conversationId) {
      const place = await places.find(userId, conversationId);
      if (!place) return undefined;
      const [conversation] = await viewsOf(userId, [place]);
      const state = stateOf('conversation', `${userId} ${conversationId}`, place.membership.version);
      return { conversation: conversation!, state };
    },
  };
}

type ConversationMarks = Marks & Pick<MembershipDocument, 'conversation_id'>;

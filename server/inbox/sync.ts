/** `sync`: everything that a client missed while it was away. */
import type { Call } from '../../shared/contract/documents.ts';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { Collections } from '../model/collections.ts';
import { toWireMessage } from '../model/views/message.ts';
import { changedPlaces } from './changed-places.ts';
import type { Missed } from './fit-answer.ts';
import { type Gap, readMissed } from './missed-messages.ts';
import { activityOf, type CheckedPlace } from './place.ts';
import type { Places } from './places.ts';
import type { ConversationViews } from './views.ts';

const DEFAULT_LIMIT = 500;

export interface SyncOptions {
  collections: Pick<Collections, 'memberships' | 'users'>;
  store: MessageStore;
  places: Places;
  views: ConversationViews;
  /** The user's own calls that are not over, and the calls going on in the user's groups. */
  callsOf(userId: string): Promise<Call[]>;
  serverTime: ServerTime;
}

export function createSync({ collections, store, places, views, callsOf, serverTime }: SyncOptions) {
  return async (
    caller: Caller,
    { conversations: named = {}, since, limit = DEFAULT_LIMIT }: CommandPayload<'sync'>,
  ): Promise<CommandData<'sync'>> => {
    const server_time = serverTime.now().toISOString();
    const revs = new Map(Object.entries(named));
    const [all, calls] = await Promise.all([places.all(caller.userId), callsOf(caller.id)]);
    const listed = since === undefined ? all : await changedPlaces(collections, all, revs, new Date(since));
    const checked = await places.check(listed);
    checked.sort((one, other) => activityOf(other).getTime() - activityOf(one).getTime());
    const missed = await readMissed(store, gapsOf(checked, revs), limit);
    const current = checked.map((place) => advancedTo(place, missed));
    const conversations = (await views.of(caller.userId, current)).map((conversation) => ({
      conversation,
      messages: (missed.messages.get(conversation.conversation_id) ?? []).map(toWireMessage),
      has_more: missed.incomplete.has(conversation.conversation_id),
    }));
    const present = new Set(all.filter(({ group, summary }) => group || summary.last_seq > 0).map(({ id }) => id));
    return {
      conversations,
      gone: [...revs.keys()].filter((id) => !present.has(id)),
      has_more: missed.incomplete.size > 0,
      calls,
      server_time,
    };
  };
}

/** What the client lacks of the conversations; those that it did not name count from rev 0. */
function gapsOf(places: CheckedPlace[], revs: ReadonlyMap<string, number>): Gap[] {
  return places.flatMap(({ id, summary, fromSeq }) => {
    const rev = revs.get(id) ?? 0;
    return summary.rev > rev && summary.last_seq > fromSeq ? [{ id, kind: summary.kind, rev, fromSeq }] : [];
  });
}

/** The place as of the messages, which were read after it: a client that has them all is at the newest one's `rev`. */
function advancedTo(place: CheckedPlace, missed: Missed): CheckedPlace {
  const { id, summary } = place;
  const messages = missed.messages.get(id) ?? [];
  const newest = messages.at(-1);
  if (missed.incomplete.has(id) || !newest || newest.rev <= summary.rev) return place;
  const last = messages.reduce((one, other) => (other.seq > one.seq ? other : one));
  const isLast = last.seq >= summary.last_seq;
  return {
    ...place,
    summary: {
      ...summary,
      rev: newest.rev,
      ...(isLast
        ? { last_seq: last.seq, last_message_id: last._id, last_message: last, activity_at: last.created_at }
        : {}),
    },
  };
}

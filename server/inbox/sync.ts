/** `sync` (PROTOCOL section 4): everything that a client which was away has missed. */
import type { Call, Conversation, Message } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument } from '../model/documents.ts';
import type { Caller } from '../dispatch/caller.ts';
import { toWireMessage } from '../model/views/message.ts';
import { type Missed, readMissed } from './missed-messages.ts';
import { activityOf, type Place, type Places } from './places.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { CheckedPlace, ConversationViews } from './views.ts';

const DEFAULT_LIMIT = 500;
/** One answer of the database holds them all: a second round trip only above it. */
const ONE_BATCH = 10_000;

export interface SyncAnswer {
  conversations: { conversation: Conversation; messages: Message[]; has_more: boolean }[];
  gone: string[];
  has_more: boolean;
  calls: Call[];
  server_time: string;
}

export interface Sync {
  sync(caller: Caller, payload: CommandPayload<'sync'>): Promise<SyncAnswer>;
}

export interface SyncOptions {
  collections: Collections;
  places: Places;
  views: ConversationViews;
  /** A user's calls that are not over, and those under way in the user's groups. */
  callsOf(userId: string): Promise<Call[]>;
  serverTime: ServerTime;
}

export function createSync({ collections, places, views, callsOf, serverTime }: SyncOptions): Sync {
  /** The conversations in which something that no message tells changed for others: marks, the peer's profile. */
  async function changedAround(found: Place[], since: Date): Promise<Set<string>> {
    const byPeer = new Map(
      found.flatMap(({ id, membership }) => (membership.peer_id ? [[membership.peer_id.toHexString(), id]] : [])),
    );
    const [marks, peers] = await Promise.all([
      collections.memberships
        .find(
          { conversation_id: { $in: found.map(({ id }) => id) }, marks_at: { $gte: since } },
          { projection: { _id: 0, conversation_id: 1 }, batchSize: ONE_BATCH },
        )
        .toArray(),
      collections.users
        .find(
          { _id: { $in: found.flatMap(({ membership }) => membership.peer_id ?? []) }, updated_at: { $gte: since } },
          { projection: { _id: 1 }, batchSize: ONE_BATCH },
        )
        .toArray(),
    ]);
    return new Set([
      ...marks.map((one) => one.conversation_id),
      ...peers.flatMap(({ _id }) => byPeer.get(_id.toHexString()) ?? []),
    ]);
  }

  /** Those of the places that an answer lists. */
  async function listed(found: Place[], revs: Map<string, number>, since: Date | undefined): Promise<Place[]> {
    if (!since) return found;
    const changed = await changedAround(found, since);
    return found.filter(({ id, summary, membership, group }) => {
      const known = revs.get(id);
      return (
        (known !== undefined && known < summary.rev) ||
        changed.has(id) ||
        [summary.changed_at, membership.changed_at, group?.updated_at].some((at) => at && at >= since)
      );
    });
  }

  return {
    async sync(caller, { conversations: named = {}, since, limit = DEFAULT_LIMIT }) {
      const server_time = serverTime.now().toISOString();
      const revs = new Map(Object.entries(named));
      const [found, calls] = await Promise.all([places.all(caller.userId), callsOf(caller.id)]);
      const inside = new Set(found.filter(({ group, summary }) => group || summary.last_seq > 0).map(({ id }) => id));
      const shown = await views.check(await listed(found, revs, since === undefined ? undefined : new Date(since)));
      shown.sort((one, other) => activityOf(other).getTime() - activityOf(one).getTime());
      const missed = await readMissed(
        collections,
        shown
          .map(({ id, summary, fromSeq }) => ({ id, kind: summary.kind, rev: revs.get(id) ?? 0, fromSeq, summary }))
          .filter(({ rev, fromSeq, summary }) => summary.rev > rev && summary.last_seq > fromSeq),
        limit,
      );
      const current = shown.map((place) => upTo(place, missed));
      const conversations = (await views.of(caller.userId, current)).map((conversation) => ({
        conversation,
        messages: (missed.messages.get(conversation.conversation_id) ?? []).map(toWireMessage),
        has_more: missed.incomplete.has(conversation.conversation_id),
      }));
      return {
        conversations,
        gone: [...revs.keys()].filter((id) => !inside.has(id)),
        has_more: missed.incomplete.size > 0,
        calls,
        server_time,
      };
    },
  };
}

/** The place as of the messages that were read after it: a client that has them all is at `rev`. */
function upTo(place: CheckedPlace, missed: Missed): CheckedPlace {
  const read: MessageDocument[] = missed.messages.get(place.id) ?? [];
  const newest = read.at(-1);
  if (missed.incomplete.has(place.id) || !newest || newest.rev <= place.summary.rev) return place;
  const last = read.reduce((one, other) => (other.seq > one.seq ? other : one));
  return {
    ...place,
    summary: {
      ...place.summary,
      rev: newest.rev,
      ...(last.seq >= place.summary.last_seq
        ? { last_seq: last.seq, last_message_id: last._id, last_message: last, activity_at: last.created_at }
        : {}),
    },
  };
}

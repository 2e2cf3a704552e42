/** Decides jobs of conversations: reads all that they rest on by a few commands, and what else a payload needs. */
import { mentioning } from '../../conversations/mentioned.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import type { Visibility } from '../../conversations/visibility.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import { refFromId } from '../../model/conversation-ref.ts';
import type { PushJobDocument } from '../../model/documents/push.ts';
import type { Acknowledgements } from '../acknowledgements.ts';
import { readBlocked } from './blocks.ts';
import { floorOf, intend, isMuted, type Place, pushOf } from './conversation-decision.ts';
import { beginningOf, type Decision, type Situation } from './decision.ts';
import type { ReadPeople } from './people.ts';
import { findPushable, readMarks } from './threads.ts';
import { readUnread, type UnreadOf } from './unread.ts';

/** Messages that were sent longer ago are not pushed: no job is tried for so long. In milliseconds. */
const OLDEST_MS = 25 * 3_600_000;

export interface ConversationSources {
  collections: Pick<Collections, 'memberships' | 'groups' | 'contacts' | 'thread_marks'>;
  store: MessageStore;
  visibility: Visibility;
  acknowledgements: Pick<Acknowledgements, 'read'>;
  readPeople: ReadPeople;
  unreadOf: UnreadOf;
  preview: boolean;
  clock(): Date;
}

/** @returns a decision for each, in the order given */
export async function decideConversations(
  sources: ConversationSources,
  situations: readonly Situation[],
): Promise<Decision[]> {
  if (situations.length === 0) return [];
  const { acknowledgements, clock } = sources;
  const keysOf = (subject: (job: PushJobDocument) => string) =>
    situations.map(({ job }) => ({ sessionId: job.session_id.toHexString(), subject: subject(job) }));
  const [places, blocked, bothAcknowledged, markOf] = await Promise.all([
    readPlaces(sources, situations),
    readBlocked(
      sources.collections,
      situations.map(({ job }) => job),
    ),
    acknowledgements.read([
      ...keysOf((job) => job.subject),
      ...keysOf((job) => job.shown_thread?.toHexString() ?? job.subject),
    ]),
    readMarks(
      sources,
      situations.map(({ job }) => ({ userId: job.user_id, rootIds: job.shown_thread ? [job.shown_thread] : [] })),
    ),
  ]);
  const acknowledged = bothAcknowledged.slice(0, situations.length);
  const shownAcknowledged = bothAcknowledged.slice(situations.length);
  const now = clock();
  const asked = situations.map(({ job, subscription, isConnected }, i) => ({
    conversationId: job.subject,
    userId: job.user_id,
    without: [job.user_id, ...blocked[i]!],
    above: places[i] ? floorOf(job, places[i], acknowledged[i]!) : Number.MAX_SAFE_INTEGER,
    since: new Date(Math.max(beginningOf(subscription).getTime(), now.getTime() - OLDEST_MS)),
    // Of a muted conversation, what mentions the user.
    where: places[i] && isMuted(places[i], now) ? mentioning(job.user_id) : {},
    oldest: isConnected,
  }));
  const found = await findPushable(sources, asked);
  const intentions = situations.map((situation, i) => {
    const { user_id, shown_thread } = situation.job;
    const inThread = shown_thread && markOf(user_id, shown_thread)?.read_seq;
    // Either mark says that a reply was read: the conversation's moves over replies too.
    const shownRead = {
      byUser: Math.max(places[i]?.membership.read_seq ?? 0, inThread ?? 0),
      bySession: Math.max(acknowledged[i]!.read_seq, shownAcknowledged[i]!.read_seq),
    };
    return intend(situation, { place: places[i], shownRead, found: found[i]!, now });
  });
  return complete(sources, situations, intentions, now);
}

/** Reads names and counts for those that are to be pushed. */
async function complete(
  { readPeople, unreadOf, preview }: ConversationSources,
  situations: readonly Situation[],
  intentions: readonly ReturnType<typeof intend>[],
  now: Date,
): Promise<Decision[]> {
  const senders = intentions.flatMap((one) => (one.kind === 'message' ? [one.message.sender_id] : []));
  const readers = situations.flatMap(({ job }, i) => {
    const { kind } = intentions[i]!;
    return kind === 'message' || kind === 'read' ? [job.user_id] : [];
  });
  const [people, unreadBy] = await Promise.all([readPeople(senders), readUnread(unreadOf, readers)]);
  return situations.map((situation, i): Decision => {
    const intention = intentions[i]!;
    if (intention.kind === 'skip' || intention.kind === 'later') return intention;
    const { badge, counts } = unreadBy.get(situation.job.user_id.toHexString())!;
    const sender = intention.kind === 'message' ? people.get(intention.message.sender_id.toHexString()) : undefined;
    const unreadCount = counts.get(situation.job.subject) ?? 0;
    return pushOf(situation, intention, { sender, badge, unreadCount, preview }, now);
  });
}

/** The users' places; undefined where a user is not in the conversation any more. */
async function readPlaces(
  { collections: { memberships, groups }, visibility }: ConversationSources,
  situations: readonly Situation[],
): Promise<(Place | undefined)[]> {
  const ids = [...new Set(situations.map(({ job }) => job.subject))];
  const groupIds = ids.flatMap((id) => (refFromId(id).kind === 'group' ? [fromId(id)] : []));
  const userIds = situations.map(({ job }) => job.user_id);
  const [stays, found] = await Promise.all([
    memberships
      .find(
        { conversation_id: { $in: ids }, user_id: { $in: userIds } },
        { batchSize: ids.length * userIds.length + 1 },
      )
      .toArray(),
    groupIds.length === 0
      ? []
      : groups
          .find({ _id: { $in: groupIds }, is_active: true }, { projection: { name: 1, members: 1 }, batchSize: 100 })
          .toArray(),
  ]);
  const stayOf = new Map(stays.map((stay) => [`${stay.conversation_id} ${stay.user_id.toHexString()}`, stay]));
  const groupOf = new Map(
    found.map(({ _id, name, members }) => [
      _id.toHexString(),
      { name, members: new Set(members.map((id) => id.toHexString())) },
    ]),
  );
  return situations.map(({ job }) => {
    const userId = job.user_id.toHexString();
    const membership = stayOf.get(`${job.subject} ${userId}`);
    if (!membership) return undefined;
    if (membership.kind === 'direct') return { membership, fromSeq: 0 };
    const group = groupOf.get(job.subject);
    if (!group?.members.has(userId)) return undefined;
    return { membership, fromSeq: visibility.fromSeq(membership), groupName: group.name };
  });
}

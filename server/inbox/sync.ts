/**
 * `sync`: everything that a client missed while it was away. An answer has bounds (conversations, messages, bytes); its
 * cursor says how far it came, so that the next one begins there and not at what is complete.
 */
import type { Call } from '../../shared/contract/documents.ts';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import { invalid } from '../lib/errors.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { Missed } from './fit-answer.ts';
import { isAfter, LIST_END } from './list-position.ts';
import { type Gap, readMissed } from './missed-messages.ts';
import { activityOf, hasAbove, type Outline } from './outline.ts';
import type { CheckedPlace } from './place.ts';
import type { Places } from './places.ts';
import { FIRST_ANSWER, type Listed, type Listing, listConversations, NEXT_ANSWER } from './sync-listing.ts';
import { fromSyncCursor, type SyncProgress, toSyncCursor } from './sync-progress.ts';
import type { ReadScope } from './sync-scope.ts';
import { firstOf, type Visit, walk } from './sync-walk.ts';
import type { ConversationViews } from './views.ts';

const DEFAULT_LIMIT = 500;

export interface SyncOptions {
  store: MessageStore;
  readScope: ReadScope;
  places: Places;
  views: ConversationViews;
  /** The user's own calls that are not over, and the calls going on in the user's groups, whose ids are given. */
  callsOf(userId: string, groupIds: string[]): Promise<Call[]>;
  serverTime: ServerTime;
  clock(): Date;
}

export function createSync({ store, readScope, places, views, callsOf, serverTime, clock }: SyncOptions) {
  /** @throws ContractError `validation_failed` for more `newest` than `limit`, or a cursor that did not come from sync */
  return async (caller: Caller, payload: CommandPayload<'sync'>): Promise<CommandData<'sync'>> => {
    const { conversations: named = {}, limit = DEFAULT_LIMIT, cursor } = payload;
    if (payload.newest !== undefined && payload.newest > limit) throw invalid('newest', 'must NOT be above limit');
    const isFirst = cursor === undefined;
    const progress = isFirst ? begin(payload, serverTime, clock()) : fromSyncCursor(cursor);
    const revs = knownRevs(named, progress);
    const { walked, groupIds, present } = await readScope(caller, progress, revs, isFirst);

    const [listing, calls] = await Promise.all([
      listConversations(
        walk(walked, progress.completeTo, progress.startedAt),
        (outlines) => places.of(caller.userId, outlines),
        rulesOf(progress, revs, isFirst),
      ),
      isFirst ? callsOf(caller.id, groupIds) : [],
    ]);
    const gaps = listing.listed.flatMap(({ place }) => gapOf(place, revs, progress, limit));
    const missed = await readMissed(store, gaps, limit);
    const unfinished = listing.listed.find(({ place }) => missed.incomplete.has(place.id));
    const told = isFirst ? listing.listed : reached(listing.listed, unfinished, missed);
    const current = told.map(({ place }) => advancedTo(place, missed)).sort(byActivity);
    const conversations = (await views.of(caller.userId, current)).map((conversation) => ({
      conversation,
      messages: (missed.messages.get(conversation.conversation_id) ?? []).map(toWireMessage),
      has_more: missed.incomplete.has(conversation.conversation_id),
    }));

    const next = advanced(progress, listing, unfinished, missed);
    return {
      conversations,
      gone: isFirst ? Object.keys(named).filter((id) => !present.has(id)) : [],
      has_more: unfinished !== undefined || listing.stopped !== undefined,
      ...(next ? { cursor: toSyncCursor(next) } : {}),
      calls,
      server_time: progress.startedAt.toISOString(),
    };
  };
}

/** A `since` that lies ahead is from another clock, such as an earlier database's: nothing is known to be told. */
function begin({ since, newest }: CommandPayload<'sync'>, serverTime: ServerTime, now: Date): SyncProgress {
  const from = since === undefined ? undefined : new Date(since);
  return {
    startedAt: serverTime.now(),
    since: from && from <= now ? from : undefined,
    newest,
    completeTo: undefined,
    listedTo: undefined,
    cut: undefined,
  };
}

/** The `rev` up to which the client has each conversation that it named, or was given a part of by the last answer. */
function knownRevs(named: Record<string, number>, { cut }: SyncProgress): Map<string, number> {
  const revs = new Map(Object.entries(named));
  if (cut) revs.set(cut.id, Math.max(cut.rev, revs.get(cut.id) ?? 0));
  return revs;
}

function rulesOf({ listedTo }: SyncProgress, revs: ReadonlyMap<string, number>, isFirst: boolean) {
  const hasGap = (outline: Outline) => hasAbove(outline, revs.get(outline.id) ?? 0);
  return {
    isWanted: ({ outline, isRevisit }: Visit) => hasGap(outline) || (!isRevisit && isAfter(outline, listedTo)),
    // The client asks again without a cursor until it was told of all these. It is told of no pair without a message.
    isLacking: (outline: Outline) =>
      !isFirst ||
      hasGap(outline) ||
      (!revs.has(outline.id) && (outline.summary.kind === 'group' || outline.summary.last_seq > 0)),
    ...(isFirst ? FIRST_ANSWER : NEXT_ANSWER),
  };
}

/** What the client lacks of a conversation; those that it did not name count from rev 0. */
function gapOf(
  { id, summary, fromSeq }: CheckedPlace,
  revs: ReadonlyMap<string, number>,
  { newest }: SyncProgress,
  limit: number,
): Gap[] {
  const rev = revs.get(id) ?? 0;
  if (!hasAbove({ summary, fromSeq }, rev)) return [];
  const gap: Gap = { id, kind: summary.kind, rev, fromSeq };
  if (newest === undefined || revs.has(id)) return [gap];
  return [{ ...gap, newest: { count: Math.min(newest, limit), upToRev: summary.rev } }];
}

/** The conversations that the answer came to: up to the one that it cut. */
function reached(listed: Listed[], unfinished: Listed | undefined, missed: Missed): Listed[] {
  if (!unfinished) return listed;
  const end = listed.indexOf(unfinished);
  return listed.slice(0, missed.messages.has(unfinished.place.id) ? end + 1 : end);
}

/** The place as of the messages, which were read after it: a client that has them all is at the newest one's `rev`. */
function advancedTo(place: CheckedPlace, missed: Missed): CheckedPlace {
  const { id, summary } = place;
  const messages = missed.messages.get(id) ?? [];
  const newest = messages.at(-1);
  if (missed.incomplete.has(id) || !newest || newest.rev <= summary.rev) return place;
  const highest = (some: readonly MessageDocument[]) =>
    some.reduce<MessageDocument | undefined>((one, other) => (one && one.seq > other.seq ? one : other), undefined);
  const last = highest(messages.filter(({ aside }) => !aside));
  const isLast = last && last.seq >= (summary.last_message_seq ?? summary.last_seq);
  return {
    ...place,
    summary: {
      ...summary,
      rev: newest.rev,
      last_seq: Math.max(summary.last_seq, highest(messages)?.seq ?? 0),
      ...(isLast
        ? {
            last_message_id: last._id,
            last_message_seq: last.seq,
            last_message: last,
            activity_at: last.created_at,
          }
        : {}),
    },
  };
}

/** How far the client has come with this answer; undefined where nothing is left. */
function advanced(
  progress: SyncProgress,
  { passedOver, stopped }: Listing,
  unfinished: Listed | undefined,
  missed: Missed,
): SyncProgress | undefined {
  const next = firstOf(unfinished?.visit, passedOver, stopped);
  if (!next) return undefined;
  const unlisted = firstOf(passedOver, stopped);
  const cutAt = unfinished && missed.messages.get(unfinished.place.id)?.at(-1)?.rev;
  return {
    ...progress,
    completeTo: next.before,
    listedTo: progress.listedTo ?? (unlisted ? unlisted.before : LIST_END),
    cut: cutAt === undefined ? undefined : { id: unfinished!.place.id, rev: cutAt },
  };
}

function byActivity(one: CheckedPlace, other: CheckedPlace): number {
  const at = ({ summary, membership }: CheckedPlace) => activityOf(summary, membership).getTime();
  return at(other) - at(one);
}

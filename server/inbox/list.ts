/** The pages of `conversation:list` (PROTOCOL section 4). */
import type { Filter } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument } from '../model/documents.ts';
import { invalid } from '../lib/errors.ts';
import type { Caller } from '../dispatch/caller.ts';
import { activityOf, type Place, type Places } from './places.ts';
import type { ConversationViews } from './views.ts';

const DEFAULT_LIMIT = 50;

/** The place in the order of a list behind which the next page begins. */
interface Key {
  at: number;
  id: string;
}

export interface ConversationList {
  /** @throws ContractError `validation_failed` for a cursor that no page gave */
  page(
    caller: Caller,
    payload: CommandPayload<'conversation:list'>,
  ): Promise<{ conversations: Conversation[]; cursor?: string }>;
}

/**
 * Pages by the key of the last conversation rather than by a number: what moves up meanwhile shifts nothing, so that
 * of what stays where it is nothing is skipped or repeated. The order is (last activity, id), both descending.
 */
export function createConversationList(
  { conversations }: Collections,
  places: Places,
  views: ConversationViews,
): ConversationList {
  /** The summaries of the user's pairs behind the key, as many as a page may need and one more. */
  function pairsBehind(caller: Caller, key: Key | undefined, limit: number): Promise<ConversationDocument[]> {
    const at = key && new Date(key.at);
    const filter: Filter<ConversationDocument> = {
      user_ids: caller.userId,
      ...(at ? { activity_at: { $lte: at }, $or: [{ activity_at: { $lt: at } }, { _id: { $lt: key.id } }] } : {}),
    };
    return conversations
      .find(filter, { batchSize: limit + 2 })
      .sort({ activity_at: -1, _id: -1 })
      .limit(limit + 1)
      .toArray();
  }

  return {
    async page(caller, { limit = DEFAULT_LIMIT, cursor }) {
      const key = cursor === undefined ? undefined : decode(cursor);
      const [pairs, groups] = await Promise.all([
        pairsBehind(caller, key, limit).then((summaries) => places.pairs(caller.userId, summaries)),
        places.groups(caller.userId),
      ]);
      const behind = [...pairs, ...groups].filter((place) => !key || compare(keyOf(place), key) > 0);
      behind.sort((one, other) => compare(keyOf(one), keyOf(other)));
      const page = behind.slice(0, limit);
      const last = page.at(-1);
      return {
        conversations: await views.of(caller.userId, await views.check(page)),
        ...(last && behind.length > limit ? { cursor: encode(keyOf(last)) } : {}),
      };
    },
  };
}

function keyOf(place: Place): Key {
  return { at: activityOf(place).getTime(), id: place.id };
}

/** Negative where the one comes first in a list. */
function compare(one: Key, other: Key): number {
  if (one.at !== other.at) return other.at - one.at;
  return one.id === other.id ? 0 : one.id > other.id ? -1 : 1;
}

function encode({ at, id }: Key): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

function decode(cursor: string): Key {
  const [, at, id] =
    /^(\d{1,15}) ([0-9a-f]{24}(?:-[0-9a-f]{24})?)$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (at === undefined || id === undefined) throw invalid('cursor', 'is not one that a page gave');
  return { at: Number(at), id };
}

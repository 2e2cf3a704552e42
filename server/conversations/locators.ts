/** Which conversations a message can belong to: a small collection by the locator in its id (`model/message-id.ts`). */
import type { ObjectId } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import { createLru } from '../lib/lru.ts';
import { upsertEach } from '../model/batches.ts';
import type { Collections } from '../model/collections.ts';
import { locatorIn, locatorOf, newMessageId } from '../model/message-id.ts';

/** How many are remembered. */
const REMEMBERED = 50_000;

export interface Locators {
  /** A new message's id. */
  newId(conversationId: string): ObjectId;
  /** Stores that a conversation has messages, so that they are found by their ids on every node. Idempotent. */
  open(conversationId: string): Promise<void>;
  /** The conversations that a message can belong to, as far as this node knows; none where it does not. */
  known(messageId: ObjectId): readonly string[];
  /** As the store says; none where the id tells nothing. */
  read(messageId: ObjectId): Promise<readonly string[]>;
}

export function createLocators({ locators }: Pick<Collections, 'locators'>): Locators {
  const remembered = createLru<readonly string[]>('locators', REMEMBERED);

  function note(locator: number, conversationIds: readonly string[]): readonly string[] {
    const known = remembered.get(`${locator}`) ?? [];
    if (conversationIds.every((id) => known.includes(id))) return known;
    const all = [...new Set([...known, ...conversationIds])];
    remembered.set(`${locator}`, all);
    return all;
  }

  const readAll = batched('locators', async (wanted: readonly number[]) => {
    const found = await locators
      .find({ _id: { $in: [...new Set(wanted)] } }, { batchSize: wanted.length + 1 })
      .toArray();
    const byId = new Map(found.map(({ _id, conversation_ids }) => [_id, conversation_ids]));
    return wanted.map((locator) => byId.get(locator) ?? []);
  });
  const store = batched('new locators', async (conversationIds: readonly string[]) => {
    const upserts = [...new Set(conversationIds)].map((id) => ({
      filter: { _id: locatorOf(id) },
      update: { $addToSet: { conversation_ids: id } },
    }));
    await upsertEach(locators, upserts);
    return conversationIds.map(() => undefined);
  });

  return {
    newId(conversationId) {
      const locator = locatorOf(conversationId);
      note(locator, [conversationId]);
      return newMessageId(locator);
    },
    open: (conversationId) => store(conversationId),
    known: (messageId) => remembered.get(`${locatorIn(messageId)}`) ?? [],
    async read(messageId) {
      const locator = locatorIn(messageId);
      return note(locator, await readAll(locator));
    },
  };
}

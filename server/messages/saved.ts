/** `message:save` and `message:saved` (PROTOCOL section 16, "Saved"). */
import { ObjectId } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { VisibleAmong } from '../conversations/visible-messages.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { conflict, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { KINDS, refFromId } from '../model/conversation-ref.ts';
import type { MessageDocument, SavedDocument } from '../model/documents/messages.ts';
import { insertOnce } from '../model/insert-once.ts';
import { DEFAULT_LIMIT, toPage } from './page.ts';
import type { Reach } from './reach.ts';

/** How many are looked at in one go. */
const CHUNK = 101;

export interface SavedOptions {
  collections: Pick<Collections, 'saved'>;
  store: Pick<MessageStore, 'of' | 'show'>;
  visibleAmong: VisibleAmong;
  clock(): Date;
}

/**
 * @returns a handler that throws ContractError `not_found` for a message that the caller cannot see, `conflict` for a
 *   tombstone
 */
export function createSave(reach: Reach, { collections: { saved }, clock }: SavedOptions): Handler<'message:save'> {
  return async (caller, { message_id, saved: isWanted }) => {
    const { message } = await reach(caller, message_id);
    const own = { user_id: caller.userId, message_id: message._id };
    if (!isWanted) {
      await saved.deleteOne(own);
      return { saved: false };
    }
    if (message.is_deleted) throw conflict('the message was deleted');
    const { conversation_id } = message;
    await insertOnce(saved, { _id: new ObjectId(), ...own, conversation_id, saved_at: clock() }, own);
    return { saved: true };
  };
}

/** @returns a handler that throws ContractError `not_found` for a `before_id` that is not saved */
export function createSavedList({ collections, store, visibleAmong }: SavedOptions): Handler<'message:saved'> {
  const { saved } = collections;

  async function readSaved(user_id: ObjectId, before: SavedDocument | undefined): Promise<SavedDocument[]> {
    const { saved_at, _id } = before ?? {};
    return saved
      .find({
        user_id,
        ...(saved_at
          ? { saved_at: { $lte: saved_at }, $or: [{ saved_at: { $lt: saved_at } }, { _id: { $lt: _id! } }] }
          : {}),
      })
      .sort({ saved_at: -1, _id: -1 })
      .limit(CHUNK)
      .toArray();
  }

  async function readMessages(found: readonly SavedDocument[]): Promise<Map<string, MessageDocument>> {
    const read = await Promise.all(
      KINDS.map((kind) => {
        const some = found.filter(({ conversation_id }) => refFromId(conversation_id).kind === kind);
        if (some.length === 0) return [];
        const within = [...new Set(some.map(({ conversation_id }) => conversation_id))];
        return store
          .of(kind)
          .find(
            {
              _id: { $in: some.map(({ message_id }) => message_id) },
              conversation_id: { $in: within },
              is_deleted: false,
            },
            { projection: { terms: 0 }, hint: { _id: 1 } },
          )
          .toArray();
      }),
    );
    return new Map(read.flat().map((message) => [message._id.toHexString(), message]));
  }

  /** Which of these can still be seen, in their order. The rest is not saved any more. */
  async function stillThere(userId: ObjectId, found: readonly SavedDocument[]): Promise<MessageDocument[]> {
    const messages = await readMessages(found);
    const visible = new Set(await visibleAmong(userId, [...messages.values()]));
    const isThere = ({ message_id }: SavedDocument) => {
      const message = messages.get(message_id.toHexString());
      return message !== undefined && visible.has(message);
    };
    const gone = found.filter((one) => !isThere(one)).map(({ _id }) => _id);
    if (gone.length > 0) await saved.deleteMany({ user_id: userId, _id: { $in: gone } });
    return found.filter(isThere).map(({ message_id }) => messages.get(message_id.toHexString())!);
  }

  return async ({ userId }, { before_id, limit = DEFAULT_LIMIT }) => {
    const from =
      before_id === undefined ? null : await saved.findOne({ user_id: userId, message_id: fromId(before_id) });
    if (before_id !== undefined && !from) throw notFound('no such saved message');
    const listed: MessageDocument[] = [];
    let last: SavedDocument | undefined = from ?? undefined;
    for (;;) {
      const chunk = await readSaved(userId, last);
      listed.push(...(await stillThere(userId, chunk)));
      last = chunk.at(-1);
      if (listed.length > limit || chunk.length < CHUNK) break;
    }
    return toPage(await store.show(listed.slice(0, limit + 1)), limit);
  };
}

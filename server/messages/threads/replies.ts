/** What must hold for a reply in a thread: before it is drafted, and as of the position that it takes. */
import type { ObjectId } from 'mongodb';
import type { MessageStore } from '../../conversations/message-store.ts';
import type { Position } from '../../conversations/newest-messages.ts';
import { isVisible } from '../../conversations/visibility.ts';
import { conflict, invalid, notFound } from '../../lib/errors.ts';
import type { ConversationRef } from '../../model/conversation-ref.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';

/** The refusal of a reply to what is not there any more. */
const rootDeleted = () => conflict('the message of the thread was deleted');

/**
 * @param root the message that the thread is to hang on, or null
 * @param replied the message that the reply names beside it, if any
 * @throws ContractError `not_found` for a root that is not visible in the conversation; `conflict` for one that is deleted
 *   or itself in a thread; `validation_failed` for a `reply_to` of another thread
 */
export function checkRoot(root: MessageDocument | null, replied: MessageDocument | undefined, fromSeq: number): void {
  if (!root || !isVisible(root, fromSeq)) throw notFound('no such message to hang a thread on');
  if (root.thread_id) throw conflict('a reply in a thread has no thread of its own');
  if (root.is_deleted) throw rootDeleted();
  const isWithin = !replied || replied._id.equals(root._id) || replied.thread_id?.equals(root._id);
  if (!isWithin) throw invalid('reply_to', 'is not of the same thread');
}

/** A reply that waits for its turn. */
interface ReplyTask {
  draft: Pick<MessageDocument, 'thread_id' | 'aside'>;
  reject(error: unknown): void;
}

export interface Placed<T> {
  /** The tasks that go on; the others are rejected. */
  tasks: T[];
  /** The `seq` of the newest message of the conversation proper; known where a reply is aside. */
  properSeq: number;
}

/**
 * Looks at the roots of replies once the position before them is known: if another node deletes a root later, that
 * takes the position, and the replies are looked at again. So none comes after the deletion. Marks roots that had no
 * reply.
 */
export async function placeReplies<T extends ReplyTask>(
  store: Pick<MessageStore, 'of' | 'properSeq'>,
  conversation: ConversationRef,
  tasks: T[],
  position: Position,
): Promise<Placed<T>> {
  const rootIds = tasks.flatMap(({ draft }) => draft.thread_id ?? []);
  if (rootIds.length === 0) return { tasks, properSeq: 0 };
  const messages = store.of(conversation.kind);
  const isAside = tasks.some(({ draft }) => draft.aside);
  const [roots, properSeq] = await Promise.all([
    messages
      .find(
        { _id: { $in: rootIds }, conversation_id: conversation.id, is_deleted: false },
        { projection: { has_thread: 1 }, hint: { _id: 1 } },
      )
      .toArray(),
    isAside ? store.properSeq(conversation, position.seq) : 0,
  ]);
  const bare = roots.filter(({ has_thread }) => !has_thread).map(({ _id }) => _id);
  if (bare.length > 0) {
    await messages.updateMany({ _id: { $in: bare }, conversation_id: conversation.id }, { $set: { has_thread: true } });
  }
  const has = (id: ObjectId) => roots.some(({ _id }) => _id.equals(id));
  const [kept, refused] = [[] as T[], [] as T[]];
  for (const task of tasks) (task.draft.thread_id && !has(task.draft.thread_id) ? refused : kept).push(task);
  for (const task of refused) task.reject(rootDeleted());
  return { tasks: kept, properSeq };
}

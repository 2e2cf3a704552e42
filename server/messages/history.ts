/** `message:history`: pages of a conversation (PROTOCOL section 4). */
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { visibleSeqs } from '../conversations/visibility.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { toWireMessage } from '../model/views/message.ts';

const DEFAULT_LIMIT = 50;
/** Messages in one reply of the store: a page of the usual size, so that a large one of long texts lets others through. */
const ONE_REPLY = DEFAULT_LIMIT + 1;

/**
 * A page reads one index entry more than it has messages, wherever in the history it lies, and one for each reply between
 * them that is aside, unless these are asked for.
 * @returns throws as `AccessRules.enter` does
 */
export function createHistory(
  store: Pick<MessageStore, 'of' | 'show'>,
  access: Pick<AccessRules, 'enter'>,
): Handler<'message:history'> {
  return async (caller, payload) => {
    const { after_seq, threads = false, limit = DEFAULT_LIMIT } = payload;
    const { conversation, fromSeq } = await access.enter(caller.id, payload);
    const isForward = after_seq !== undefined;
    const found = await store
      .of(conversation.kind)
      .find(
        {
          conversation_id: conversation.id,
          seq: visibleSeqs(fromSeq, payload),
          ...(threads ? {} : { aside: { $ne: true } }),
        },
        { projection: { terms: 0 }, batchSize: ONE_REPLY },
      )
      .sort({ seq: isForward ? 1 : -1 })
      .limit(limit + 1)
      .toArray();
    const page = found.slice(0, limit);
    if (!isForward) page.reverse();
    return { messages: (await store.show(page)).map(toWireMessage), has_more: found.length > limit };
  };
}

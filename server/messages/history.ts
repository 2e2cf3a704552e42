/** `message:history`: pages of a conversation (PROTOCOL section 4). */
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { visibleSeqs } from '../conversations/visibility.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { DEFAULT_LIMIT, ONE_REPLY, readPage, toPage } from './page.ts';

/**
 * A page reads one index entry more than it has messages, wherever in the history it lies, and one for each reply
 * between them that is aside, unless the page includes these.
 * @returns a handler that throws as `AccessRules.enter` does
 */
export function createHistory(
  store: Pick<MessageStore, 'of' | 'show'>,
  access: Pick<AccessRules, 'enter'>,
): Handler<'message:history'> {
  return async (caller, payload) => {
    const { after_seq, threads = false, limit = DEFAULT_LIMIT } = payload;
    const { conversation, fromSeq } = await access.enter(caller.id, payload);
    const isForward = after_seq !== undefined;
    const cursor = store
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
      .limit(limit + 1);
    const { found, most } = await readPage(cursor, limit);
    const { messages, has_more } = toPage(await store.show(found), most);
    return { messages: isForward ? messages : messages.reverse(), has_more };
  };
}

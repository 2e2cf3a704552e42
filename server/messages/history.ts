/** `message:history`: pages of a conversation (PROTOCOL section 4). */
import type { AccessRules } from '../conversations/access-rules.ts';
import { readPage } from '../conversations/message-page.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { visibleSeqs } from '../conversations/visibility.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { toWireMessage } from '../model/views/message.ts';

const DEFAULT_LIMIT = 50;

/**
 * A page reads one index entry more than it has messages, wherever in the history it lies. It ends early after 512 KiB.
 * @returns throws as `AccessRules.enter` does
 */
export function createHistory(
  store: Pick<MessageStore, 'of'>,
  access: Pick<AccessRules, 'enter'>,
): Handler<'message:history'> {
  return async (caller, payload) => {
    const { after_seq, limit = DEFAULT_LIMIT } = payload;
    const { conversation, fromSeq } = await access.enter(caller.id, payload);
    const isForward = after_seq !== undefined;
    const found = store
      .of(conversation.kind)
      .find({ conversation_id: conversation.id, seq: visibleSeqs(fromSeq, payload) }, { projection: { terms: 0 } })
      .sort({ seq: isForward ? 1 : -1 });
    const { page, hasMore } = await readPage(found, limit);
    if (!isForward) page.reverse();
    return { messages: page.map(toWireMessage), has_more: hasMore };
  };
}

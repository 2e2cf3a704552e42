/** Pages of a conversation (PROTOCOL section 4, `message:history`). */
import type { Message } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

const DEFAULT_LIMIT = 50;

export interface History {
  page(caller: Caller, payload: CommandPayload<'message:history'>): Promise<{ messages: Message[]; has_more: boolean }>;
}

/** @returns pages that read as many index entries as they have messages, wherever in the history they lie */
export function createHistory(store: MessageStore, access: AccessRules): History {
  return {
    async page(caller, { recipient_id, group_id, before_seq, after_seq, limit = DEFAULT_LIMIT }) {
      const { conversation, fromSeq } = await access.enter(caller.id, {
        ...(recipient_id === undefined ? {} : { recipient_id }),
        ...(group_id === undefined ? {} : { group_id }),
      });
      const forwards = after_seq !== undefined;
      const above = Math.max(fromSeq, after_seq ?? 0);
      const found = await store
        .of(conversation.kind)
        .find(
          {
            conversation_id: conversation.id,
            seq: { $gt: above, ...(before_seq === undefined ? {} : { $lt: before_seq }) },
          },
          { projection: { terms: 0 } },
        )
        .sort({ seq: forwards ? 1 : -1 })
        .limit(limit + 1)
        .toArray();
      const has_more = found.length > limit;
      const page = found.slice(0, limit);
      if (!forwards) page.reverse();
      return { messages: page.map(toWireMessage), has_more };
    },
  };
}

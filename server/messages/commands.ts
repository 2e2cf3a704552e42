/** Commands on messages (PROTOCOL section 4). Marks (`message:delivered`, `message:read`) belong to the inbox. */
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Scope } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { conflict, forbidden, invalid } from '../lib/errors.ts';
import { storedMetadata } from '../model/metadata.ts';
import { createChangeMessage } from './change-message.ts';
import type { CountedReactions } from './counted-reactions.ts';
import { createHistory } from './history.ts';
import { createReact } from './react.ts';
import { createSearch } from './search.ts';
import { createSend, type SendOptions } from './send.ts';
import { termsOf } from './terms.ts';
import type { Writer } from './writer.ts';

export type MessageHandlers = Omit<HandlersOf<'message'>, 'message:delivered' | 'message:read'>;

export interface MessageCommandOptions extends SendOptions {
  store: MessageStore;
  access: AccessRules;
  writer: Writer;
  counted: CountedReactions;
  /** Every conversation of a user. */
  scopesOf(caller: Caller): Promise<Scope[]>;
  /** Whether messages with terms of an earlier version may be left. */
  isFoldingAnew(): boolean;
}

/** @returns handlers; those that change a message throw ContractError `not_found` where the caller cannot see it */
export function createMessageCommands(options: MessageCommandOptions): MessageHandlers {
  const { store, access, counted, scopesOf, isFoldingAnew } = options;
  const changeMessage = createChangeMessage(options);

  return {
    'message:send': createSend(options),

    'message:edit': (caller, { message_id, content, metadata: wanted }, dueAt) =>
      changeMessage(caller, message_id, dueAt, {
        decide(message, { at }) {
          if (!message.sender_id.equals(caller.userId)) throw forbidden('only the sender edits a message');
          if (message.is_deleted) throw conflict('the message was deleted');
          if (content === '' && !message.attachment) throw invalid('content', 'must NOT be empty');
          const metadata = wanted === undefined ? message.metadata : storedMetadata(wanted);
          if (content === message.content && metadata === message.metadata) return undefined;
          const { metadata: _replaced, ...rest } = message;
          const text = content === message.content ? {} : { content, terms: termsOf(content) };
          return { ...rest, ...text, ...(metadata === undefined ? {} : { metadata }), edited_at: at };
        },
      }),

    async 'message:delete'(caller, { message_id }, dueAt) {
      let isCounted = false;
      const answer = await changeMessage(caller, message_id, dueAt, {
        decide(message, { entered }) {
          const isSender = message.sender_id.equals(caller.userId);
          if (!isSender && !entered.isAdmin) throw forbidden('only the sender or an admin deletes a message');
          if (message.is_deleted) return undefined;
          const { reactions = [], terms: _terms, metadata: _metadata, ...rest } = message;
          isCounted = reactions.some(({ count }) => count !== undefined);
          return { ...rest, is_deleted: true, content: '', attachment: null };
        },
      });
      if (isCounted) await counted.forget(message_id);
      return answer;
    },

    'message:react': createReact(changeMessage, counted),
    'message:history': createHistory(store, access),
    'message:search': createSearch(store, access, scopesOf, isFoldingAnew),
  };
}

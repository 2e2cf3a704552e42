/** Messages, put together: writing, history, search and typing. */
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Actors } from '../delivery/actors.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import { createHistory } from './history.ts';
import { type Attachments, createMessages } from './messages.ts';
import { createSearch, type Scope } from './search.ts';
import { createTyping } from './typing.ts';
import { createWriter, type SummaryWriter } from './writer.ts';

export interface MessageDomainOptions {
  store: MessageStore;
  access: AccessRules;
  audience: Audience;
  bus: Bus;
  actors: Actors;
  summaries: SummaryWriter;
  /** Makes the documents of a pair before its first message. Idempotent. */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
  attachments: Attachments;
  /** Every conversation of a user, for searching. */
  scopesOf(caller: Caller): Promise<Scope[]>;
  clock(): Date;
}

export interface MessageDomain {
  handlers: Omit<HandlersOf<'message' | 'typing'>, 'message:delivered' | 'message:read'>;
  /** A device is gone: whatever it typed is over. */
  disconnected(socketId: string): void;
  /** Resolves when nothing is being written any more. */
  idle(): Promise<void>;
  close(): void;
}

export function createMessageDomain(options: MessageDomainOptions): MessageDomain {
  const { store, access, audience, bus, actors, summaries, openPair, attachments, scopesOf, clock } = options;
  const open = async (conversation: ConversationRef) => {
    if (conversation.kind === 'direct') await openPair(conversation);
  };
  const writer = createWriter({ store, summaries, bus, actors, open, clock });
  const typing = createTyping({ audience, access, bus });
  const messages = createMessages({ store, writer, access, attachments, onSent: typing.sent, clock });
  return {
    handlers: {
      'message:send': messages.send,
      'message:edit': messages.edit,
      'message:delete': messages.remove,
      'message:react': messages.react,
      'message:history': createHistory(store, access).page,
      'message:search': createSearch(store, access, scopesOf).search,
      ...typing.handlers,
    },
    disconnected: typing.disconnected,
    idle: writer.idle,
    close: typing.close,
  };
}

import type { Handlers } from '../gateway/dispatch.ts';
import type { Receipts } from '../messaging/receipts.ts';
import type { Search } from '../messaging/search.ts';
import type { Typing } from '../messaging/typing.ts';
import type { ConversationList } from './list.ts';
import type { ConversationSettings } from './settings.ts';
import type { Sync } from './sync.ts';

export type ConversationCommands =
  | 'conversation:list'
  | 'conversation:update'
  | 'sync'
  | 'message:delivered'
  | 'message:read'
  | 'message:search'
  | 'typing:start'
  | 'typing:stop';

export interface ConversationParts {
  list: ConversationList;
  settings: ConversationSettings;
  sync: Sync;
  receipts: Receipts;
  search: Search;
  typing: Typing;
}

/** The handlers of conversations: each one call. */
export function conversationHandlers(parts: ConversationParts): Pick<Handlers, ConversationCommands> {
  const { list, settings, sync, receipts, search, typing } = parts;
  return {
    'conversation:list': list.page,
    'conversation:update': settings.update,
    sync: sync.sync,
    'message:delivered': receipts.delivered,
    'message:read': receipts.read,
    'message:search': search.search,
    'typing:start': typing.start,
    'typing:stop': typing.stop,
  };
}

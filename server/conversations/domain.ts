/** Puts the parts of conversations together: lists, sync, receipts, search, typing. */
import type { Call } from '../../shared/contract/documents.ts';
import type { Collections } from '../database/collections.ts';
import type { Fanout } from '../fanout/fanout.ts';
import type { Handlers } from '../gateway/dispatch.ts';
import type { AccessRules } from '../messaging/access.ts';
import type { MessageStore } from '../messaging/message-store.ts';
import { createReceipts } from '../messaging/receipts.ts';
import { createSearch } from '../messaging/search.ts';
import type { Typing } from '../messaging/typing.ts';
import { type ConversationCommands, conversationHandlers } from './handlers.ts';
import { createConversationList } from './list.ts';
import { createPlaces } from './places.ts';
import type { ServerTime } from './server-time.ts';
import { createConversationSettings } from './settings.ts';
import type { Summaries } from './summaries.ts';
import { createSync } from './sync.ts';
import { createConversationTurns } from './turns.ts';
import { type ConversationViews, createConversationViews } from './views.ts';

export interface ConversationDomainOptions {
  collections: Collections;
  store: MessageStore;
  summaries: Summaries;
  access: AccessRules;
  fanout: Fanout;
  typing: Typing;
  serverTime: ServerTime;
  /** A user's calls that are not over, and those under way in the user's groups. */
  callsOf(userId: string): Promise<Call[]>;
  /** Whether new members see a group's history from before their joining. */
  historyAll: boolean;
  clock(): Date;
}

export interface ConversationDomain {
  handlers: Pick<Handlers, ConversationCommands>;
  /** A conversation as a user sees it; undefined where the user is not in it, or nothing was ever written. */
  view: ConversationViews['one'];
}

export function createConversationDomain(options: ConversationDomainOptions): ConversationDomain {
  const { collections, store, summaries, access, fanout, typing, serverTime, callsOf, historyAll, clock } = options;
  const places = createPlaces(collections, historyAll);
  const inTurn = createConversationTurns();
  const views = createConversationViews({ collections, store, places, summaries });
  return {
    view: views.one,
    handlers: conversationHandlers({
      list: createConversationList(collections, places, views),
      settings: createConversationSettings({ collections, access, views, fanout, inTurn, clock }),
      sync: createSync({ collections, places, views, callsOf, serverTime }),
      receipts: createReceipts({ collections, store, access, fanout, view: views.one, inTurn, clock }),
      search: createSearch(store, access, async (caller) =>
        (await places.all(caller.userId)).map(({ id, summary, fromSeq }) => ({ id, kind: summary.kind, fromSeq })),
      ),
      typing,
    }),
  };
}

/** The inbox, put together: a user's conversations, their marks and settings, lists and `sync`. */
import type { Call } from '../../shared/contract/documents.ts';
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import { createConversationList } from './list.ts';
import { createMemberships, type Memberships } from './memberships.ts';
import { createPlaces } from './places.ts';
import { createReceipts } from './receipts.ts';
import { createConversationSettings } from './settings.ts';
import { createSummaries, type Summaries } from './summaries.ts';
import { createSync } from './sync.ts';
import { createConversationTurns } from './turns.ts';
import { createConversationViews } from './views.ts';

export interface InboxDomainOptions {
  collections: Collections;
  store: MessageStore;
  access: AccessRules;
  visibility: Visibility;
  bus: Bus;
  serverTime: ServerTime;
  /** A user's calls that are not over, and those under way in the user's groups. */
  callsOf(userId: string): Promise<Call[]>;
  clock(): Date;
}

export interface InboxDomain {
  handlers: HandlersOf<'conversation' | 'sync' | 'message:delivered' | 'message:read'>;
  memberships: Memberships;
  summaries: Summaries;
  /** Every conversation of a user, with what is visible of it. */
  scopesOf(caller: Caller): Promise<{ id: string; kind: ConversationRef['kind']; fromSeq: number }[]>;
}

export function createInboxDomain(options: InboxDomainOptions): InboxDomain {
  const { collections, store, access, visibility, bus, serverTime, callsOf, clock } = options;
  const summaries = createSummaries(collections, store, clock);
  const places = createPlaces(collections, visibility);
  const inTurn = createConversationTurns();
  const views = createConversationViews({ collections, store, places, summaries });
  const receipts = createReceipts({ collections, store, access, bus, view: views.one, inTurn, clock });
  return {
    handlers: {
      'conversation:list': createConversationList(collections, places, views).page,
      'conversation:update': createConversationSettings({ collections, access, views, bus, inTurn, clock }).update,
      sync: createSync({ collections, places, views, callsOf, serverTime }).sync,
      'message:delivered': receipts.delivered,
      'message:read': receipts.read,
    },
    memberships: createMemberships(collections, visibility, clock),
    summaries,
    scopesOf: async (caller) =>
      (await places.all(caller.userId)).map(({ id, summary, fromSeq }) => ({ id, kind: summary.kind, fromSeq })),
  };
}

/** Puts the inbox together: a user's view of conversations, with marks, settings, lists and `sync`. */
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Scope, Visibility } from '../conversations/visibility.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { Collections } from '../model/collections.ts';
import { createReadChanged } from './changed-outlines.ts';
import { createInboxCommands, type InboxHandlers } from './commands.ts';
import { createEraseSettings } from './erase-settings.ts';
import { createGroupOutlines } from './group-outlines.ts';
import { createGroupPlaces } from './group-places.ts';
import { createOpenPair, type OpenPair } from './open-pair.ts';
import { createPairParts } from './pair-parts.ts';
import { createPlaces } from './places.ts';
import { createScopesOf } from './scopes.ts';
import { createSummaryCheck } from './summary-check.ts';
import { createSummaryWrites, type SummaryWrites } from './summary-writes.ts';
import type { SyncOptions } from './sync.ts';
import { createReadScope } from './sync-scope.ts';
import { createConversationViews } from './views.ts';

export interface InboxDomainOptions {
  collections: Collections;
  store: MessageStore;
  access: AccessRules;
  visibility: Visibility;
  audience: Audience;
  bus: Bus;
  serverTime: ServerTime;
  callsOf: SyncOptions['callsOf'];
  clock(): Date;
}

export interface InboxDomain {
  handlers: InboxHandlers;
  memberships: {
    openPair: OpenPair;
    /** The groups that a user is in, and from where the user sees each. */
    groupsOf(userId: string): Promise<GroupPlace[]>;
  };
  summaries: SummaryWrites;
  /** Erases what a user set for conversations. Repeatable. */
  erase(userId: string): Promise<void>;
  /** Every conversation of a user, and from where the user sees it. */
  scopesOf(caller: Caller): Promise<Scope[]>;
}

export function createInboxDomain(options: InboxDomainOptions): InboxDomain {
  const { collections, store } = options;
  const summaries = createSummaryWrites(options);
  const summaryCheck = createSummaryCheck({ ...options, writes: summaries });
  const places = createPlaces({ ...options, summaryCheck });
  const outlines = { groupOutlines: createGroupOutlines(options), pairParts: createPairParts(collections) };
  const readChanged = createReadChanged({ collections, ...outlines });
  const readScope = createReadScope({ ...outlines, readChanged });
  const views = createConversationViews({ collections, store, places });
  return {
    handlers: createInboxCommands({ ...options, ...outlines, places, views, readScope }),
    memberships: { openPair: createOpenPair(options), groupsOf: createGroupPlaces(options) },
    summaries,
    erase: createEraseSettings(collections),
    scopesOf: createScopesOf(outlines),
  };
}

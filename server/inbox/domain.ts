/** Puts the inbox together: a user's view of conversations, with marks, settings, lists and `sync`. */
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Jobs } from '../cluster/jobs.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages } from '../conversations/newest-messages.ts';
import type { Scope, Visibility } from '../conversations/visibility.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import type { Collections } from '../model/collections.ts';
import { createReadChanged } from './changed-outlines.ts';
import { createInboxCommands, type InboxHandlers } from './commands.ts';
import { createEraseSettings } from './erase-settings.ts';
import { createGroupOutlines } from './group-outlines.ts';
import { createGroupPlaces } from './group-places.ts';
import { createMarkStore } from './marks/mark-store.ts';
import { createSettling } from './marks/settling.ts';
import { createOpenPair, type OpenPair } from './open-pair.ts';
import { tellOwnDevices } from './own-devices.ts';
import { createPairParts } from './pair-parts.ts';
import { createPlaces } from './places.ts';
import { createReadUnread, type ReadUnread } from './read-unread.ts';
import { createScopesOf } from './scopes.ts';
import { handleSummaryAudit } from './summary-audit.ts';
import { createSummaryCheck } from './summary-check.ts';
import { createSummaryWrites, type SummaryWrites } from './summary-writes.ts';
import type { SyncOptions } from './sync.ts';
import { createReadScope } from './sync-scope.ts';
import { createConversationViews } from './views.ts';

export interface InboxDomainOptions {
  collections: Collections;
  store: MessageStore;
  newest: NewestMessages;
  access: AccessRules;
  visibility: Visibility;
  audience: Audience;
  bus: Bus;
  delivery: Pick<Delivery, 'onViewChanged' | 'apply'>;
  jobs: Pick<Jobs, 'handle' | 'add'>;
  serverTime: ServerTime;
  callsOf: SyncOptions['callsOf'];
  clock(): Date;
  log: Logger;
}

export interface InboxDomain {
  handlers: InboxHandlers;
  memberships: {
    openPair: OpenPair;
    /** The groups that a user is in, and from where the user sees each. */
    groupsOf(userId: string): Promise<GroupPlace[]>;
  };
  summaries: SummaryWrites;
  /** How much a user has not read, in all conversations. */
  unreadOf: ReadUnread;
  /** Erases what a user set for conversations. Repeatable. */
  erase(userId: string): Promise<void>;
  /** Resolves when the stored messages say what the marks say, or another node must see to that. */
  close(): Promise<void>;
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
  const marks = createMarkStore(collections);
  const settling = createSettling({ ...options, marks });
  tellOwnDevices({ ...options, views });
  handleSummaryAudit({ ...options, summaryCheck });
  return {
    handlers: createInboxCommands({
      ...options,
      ...outlines,
      places,
      views,
      readScope,
      marks,
      onUnsettled: settling.note,
    }),
    memberships: { openPair: createOpenPair(options), groupsOf: createGroupPlaces(options) },
    summaries,
    unreadOf: createReadUnread({ ...options, ...outlines }),
    erase: createEraseSettings(collections),
    close: settling.close,
    scopesOf: createScopesOf(outlines),
  };
}

/** Messages, put together: sending and changing, history, search, typing. */
import type { Bus } from '../bus/bus.ts';
import type { Jobs } from '../cluster/jobs.ts';
import type { Config } from '../config.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages } from '../conversations/newest-messages.ts';
import type { Scope, Visibility } from '../conversations/visibility.ts';
import { createVisibleAmong } from '../conversations/visible-messages.ts';
import type { Actors } from '../delivery/actors.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import { createMessageCommands, type MessageHandlers } from './commands.ts';
import { createCountedReactions } from './counted-reactions.ts';
import { createDeleteAsSender, type DeleteAsSender } from './delete.ts';
import type { Attachments } from './drafts.ts';
import { watchFolding } from './earlier-terms.ts';
import { foldMessagesAnew } from './fold-anew.ts';
import { createRevisions } from './revisions.ts';
import type { SummaryWriter } from './summary-writer.ts';
import { createThreadMarks } from './threads/marks.ts';
import { createTypingCommands } from './typing.ts';
import { createTypists } from './typists.ts';
import { createWriter } from './writer.ts';

export interface MessageDomainOptions {
  collections: Pick<
    Collections,
    'jobs' | 'counted_reactions' | 'revisions' | 'saved' | 'thread_marks' | 'groups' | 'memberships'
  >;
  config: Pick<Config, 'revisions'>;
  store: MessageStore;
  newest: NewestMessages;
  access: AccessRules;
  visibility: Visibility;
  audience: Audience;
  bus: Bus;
  delivery: Pick<Delivery, 'onLeft'>;
  actors: Actors;
  summaries: SummaryWriter;
  /** Creates a pair's documents. Called before its first message is stored; idempotent. */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
  attachments: Attachments;
  /** Every conversation of a user. */
  scopesOf(caller: Caller): Promise<Scope[]>;
  jobs: Pick<Jobs, 'handle' | 'add'>;
  clock(): Date;
}

export interface MessageDomain {
  handlers: MessageHandlers & HandlersOf<'typing'>;
  /** Deletes a message as its sender would. */
  deleteAsSender: DeleteAsSender;
  /** Ends whatever was typed on a device. */
  disconnected(socketId: string): void;
  /** Erases what a user has saved, and which threads the user follows. Repeatable. */
  erase(userId: string): Promise<void>;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
  close(): void;
}

export function createMessageDomain(options: MessageDomainOptions): MessageDomain {
  const { collections, config } = options;
  const revisions = createRevisions(collections);
  const counted = createCountedReactions(collections);
  const marks = createThreadMarks(collections);
  const writer = createWriter({ ...options, keepTexts: config.revisions ? revisions.keep : undefined });
  const typists = createTypists(options);
  options.delivery.onLeft(typists.left);
  foldMessagesAnew(options);
  const folding = watchFolding(collections);
  return {
    handlers: {
      ...createMessageCommands({
        ...options,
        writer,
        visibleAmong: createVisibleAmong(collections, options.visibility),
        counted,
        marks,
        revisions,
        revisionsAreKept: config.revisions,
        onSent: typists.stop,
        isFoldingAnew: folding.isUnderWay,
      }),
      ...createTypingCommands({ ...options, typists }),
    },
    deleteAsSender: createDeleteAsSender({ store: options.store, writer, counted, revisions }),
    disconnected: typists.disconnected,
    async erase(userId) {
      const user_id = fromId(userId);
      await Promise.all([collections.saved.deleteMany({ user_id }), marks.erase(user_id)]);
    },
    idle: writer.idle,
    close() {
      typists.close();
      folding.close();
    },
  };
}

/** Commands on messages (PROTOCOL section 4). Marks (`message:delivered`, `message:read`) belong to the inbox. */
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Scope } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { createChangeMessage } from './change-message.ts';
import type { CountedReactions } from './counted-reactions.ts';
import { createDelete } from './delete.ts';
import { createEdit } from './edit.ts';
import { createHistory } from './history.ts';
import { createMentionsList } from './mentions-list.ts';
import { createPin, createPinned } from './pin.ts';
import { createReach } from './reach.ts';
import { createReact } from './react.ts';
import { createReadRevisions } from './read-revisions.ts';
import type { Revisions } from './revisions.ts';
import { createSave, createSavedList, type SavedOptions } from './saved.ts';
import { createSearch } from './search.ts';
import { createSend, type SendOptions } from './send.ts';
import { createThreadCommands, type ThreadCommandOptions } from './threads/commands.ts';
import { createFollowing, type FollowingOptions } from './threads/following.ts';
import type { Writer } from './writer.ts';

export type MessageHandlers = Omit<HandlersOf<'message' | 'thread'>, 'message:delivered' | 'message:read'>;

export interface MessageCommandOptions
  extends Omit<SendOptions, 'reach' | 'onReply'>,
    SavedOptions,
    FollowingOptions,
    Omit<ThreadCommandOptions, 'reach' | 'following'> {
  store: MessageStore;
  access: AccessRules;
  writer: Writer;
  counted: CountedReactions;
  revisions: Revisions;
  /** Whether earlier texts are kept (`REVISIONS`). */
  revisionsAreKept: boolean;
  /** Every conversation of a user. */
  scopesOf(caller: Caller): Promise<Scope[]>;
  /** Whether there may still be messages with terms of an earlier version. */
  isFoldingAnew(): boolean;
}

/** @returns handlers; those that change a message throw ContractError `not_found` where the caller cannot see it */
export function createMessageCommands(options: MessageCommandOptions): MessageHandlers {
  const { store, access, counted, revisions, revisionsAreKept, audience, scopesOf, isFoldingAnew } = options;
  const reach = createReach(options);
  const following = createFollowing(options);
  const changeMessage = createChangeMessage({ ...options, reach });

  return {
    'message:send': createSend({ ...options, reach, onReply: following.replied }),

    'message:edit': createEdit(changeMessage, revisions, audience, following.named),
    'message:delete': createDelete(changeMessage, options),
    'message:react': createReact(changeMessage, counted),
    ...createThreadCommands({ ...options, reach, following }),
    'message:mentions': createMentionsList(store, scopesOf),
    'message:save': createSave(reach, options),
    'message:saved': createSavedList(options),
    'message:pin': createPin(changeMessage),
    'message:pinned': createPinned(store, access),
    'message:revisions': createReadRevisions(reach, revisionsAreKept ? revisions : undefined),
    'message:history': createHistory(store, access),
    'message:search': createSearch(store, access, scopesOf, isFoldingAnew),
  };
}

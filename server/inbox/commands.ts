/** The commands on a user's view of conversations (PROTOCOL section 4). */
import type { HandlersOf } from '../dispatch/handlers.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { createListConversations, type ListConversationsOptions } from './list-conversations.ts';
import { createReceipts, type ReceiptsOptions } from './receipts.ts';
import { createSync, type SyncOptions } from './sync.ts';
import { createUpdateConversation, type UpdateConversationOptions } from './update-conversation.ts';

export type InboxHandlers = HandlersOf<'conversation' | 'sync' | 'message:delivered' | 'message:read'>;

export type InboxCommandsOptions = ListConversationsOptions & ReceiptsOptions & SyncOptions & UpdateConversationOptions;

export function createInboxCommands(options: InboxCommandsOptions): InboxHandlers {
  const queue = createKeyedQueue('conversation updates');
  const update = createUpdateConversation(options);
  return {
    'conversation:list': createListConversations(options),
    // One user's changes to one conversation run in order. Each tells other devices how things stand at that moment, so
    // side by side an older state could be told after a newer one.
    'conversation:update': (caller, payload, dueAt) =>
      queue.run(`${caller.id} ${payload.recipient_id ?? payload.group_id}`, () => update(caller, payload), dueAt),
    sync: createSync(options),
    ...createReceipts(options),
  };
}

import type { Access } from '../conversations/access.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import { notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/**
 * Finds a message by its id, with the caller's access to its conversation. Tombstones are found.
 * @throws ContractError `not_found` for a message that the caller cannot see
 */
export type Reach = (
  caller: Pick<Caller, 'id'>,
  messageId: string,
) => Promise<{ message: MessageDocument; entered: Access }>;

export interface ReachOptions {
  store: Pick<MessageStore, 'find'>;
  access: Pick<AccessRules, 'enterByMessage'>;
}

export function createReach({ store, access }: ReachOptions): Reach {
  return async (caller, messageId) => {
    const message = await store.find(fromId(messageId));
    const entered = message && (await access.enterByMessage(caller.id, message));
    if (!message || !entered) throw notFound('no such message');
    return { message, entered };
  };
}

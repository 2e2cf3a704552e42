/** `typing:start` and `typing:stop` (PROTOCOL section 4). */
import type { Target } from '../../shared/contract/values.ts';
import { refuseUnpermitted, refuseUnreachable } from '../conversations/access.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Typists } from './typists.ts';

export interface TypingOptions {
  access: Pick<AccessRules, 'enter'>;
  audience: Pick<Audience, 'typingHiddenFrom'>;
  typists: Pick<Typists, 'start' | 'stop'>;
}

/**
 * @returns handlers that refuse an unknown or deactivated user and a foreign group (`not_found`), and anyone who is
 *   under a block or may not write (`forbidden`)
 */
export function createTypingCommands({ access, audience, typists }: TypingOptions): HandlersOf<'typing'> {
  async function enter(caller: Caller, target: Target): Promise<ConversationRef> {
    const entered = await access.enter(caller.id, target);
    refuseUnreachable(entered);
    refuseUnpermitted(entered, 'send');
    return entered.conversation;
  }

  async function enterToStart(caller: Caller, target: Target) {
    const conversation = await enter(caller, target);
    return { conversation, hiddenFrom: await audience.typingHiddenFrom(caller.id, conversation) };
  }

  return {
    'typing:start': (caller, target) =>
      caller.inTurn(enterToStart(caller, target), async ({ conversation, hiddenFrom }) => {
        const { id: userId, socketId } = caller;
        if (hiddenFrom === 'everyone') typists.stop(userId, conversation.id);
        else typists.start({ userId, conversation, socketId, hiddenFrom });
        return {};
      }),
    'typing:stop': (caller, target) =>
      caller.inTurn(enter(caller, target), async (conversation) => {
        typists.stop(caller.id, conversation.id);
        return {};
      }),
  };
}

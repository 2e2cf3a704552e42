/** Who is typing (PROTOCOL section 4): told to the others, for 6 s at most, never stored. */

import type { Target } from '../../shared/contract/values.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import { refuseBlocked } from '../conversations/access.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import { type Audience, othersIn } from '../conversations/audience.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';

/** After this without another start it stops by itself, in milliseconds. */
const EXPIRY_MS = 6000;
/** A start that is repeated within this is not told again: it only prolongs, in milliseconds. */
const THROTTLE_MS = 3000;

export interface Typing {
  /** Refuse `not_found` for a deactivated or unknown user and a foreign group, `forbidden` under a block. */
  handlers: HandlersOf<'typing'>;
  /** The message is there: its sender has stopped typing. */
  sent(message: MessageDocument): void;
  /** A device is gone: whatever it typed is over. */
  disconnected(socketId: string): void;
  close(): void;
}

/** Somebody who is shown as typing. */
interface Typist {
  userId: string;
  conversation: ConversationRef;
  /** Undefined for one who types over HTTP. */
  socketId: string | undefined;
  toldAt: number;
  /** Members who neither show nor see typing. */
  without: string[];
  timer: NodeJS.Timeout;
}

export interface TypingOptions {
  audience: Audience;
  access: AccessRules;
  bus: Bus;
}

export function createTyping({ audience, access, bus }: TypingOptions): Typing {
  const typists = new Map<string, Typist>();
  const keyOf = (userId: string, conversationId: string) => `${userId} ${conversationId}`;

  function tell({ userId, conversation, without }: Typist, is_typing: boolean): void {
    const to = othersIn(conversation, userId);
    const payload = { conversation_id: conversation.id, user_id: userId, is_typing };
    bus.emit(to, 'typing', payload, { users: [userId, ...without] });
  }

  /** Those of the conversation who have typing switched off: they neither show it nor see it. */
  async function switchedOff(conversation: ConversationRef): Promise<string[]> {
    return audience.switchedOff(await audience.membersOf(conversation), 'typing_indicators_enabled');
  }

  function end(key: string): Typist | undefined {
    const typist = typists.get(key);
    if (!typist) return undefined;
    clearTimeout(typist.timer);
    typists.delete(key);
    return typist;
  }

  function stopNow(key: string): void {
    const typist = end(key);
    if (typist) tell(typist, false);
  }

  /** Between two who are blocked since then not even the end passes. */
  async function stopUnlessBlocked(key: string): Promise<void> {
    const typist = end(key);
    if (!typist) return;
    const { conversation } = typist;
    if (conversation.kind === 'direct') {
      const blocked = await access.isBlocked(...conversation.user_ids).catch(() => true);
      if (blocked) return;
    }
    tell(typist, false);
  }

  function expireLater(key: string): NodeJS.Timeout {
    const timer = setTimeout(() => void stopUnlessBlocked(key), EXPIRY_MS);
    timer.unref();
    return timer;
  }

  async function enter(caller: Caller, target: Target): Promise<{ key: string; conversation: ConversationRef }> {
    const entered = await access.enter(caller.id, target);
    refuseBlocked(entered);
    if (!entered.peerActive) throw notFound('no such user');
    return { key: keyOf(caller.id, entered.conversation.id), conversation: entered.conversation };
  }

  const handlers: Typing['handlers'] = {
    'typing:start': (caller, target) =>
      caller.inTurn(
        enter(caller, target).then(async (entered) => ({ ...entered, off: await switchedOff(entered.conversation) })),
        async ({ key, conversation, off }) => {
          const known = typists.get(key);
          if (off.includes(caller.id) || (conversation.kind === 'direct' && off.length > 0)) {
            stopNow(key);
            return {};
          }
          if (known) clearTimeout(known.timer);
          const isFresh = known !== undefined && Date.now() - known.toldAt < THROTTLE_MS;
          const typist: Typist = {
            userId: caller.id,
            conversation,
            socketId: caller.socketId,
            toldAt: isFresh ? known.toldAt : Date.now(),
            without: isFresh ? known.without : off,
            timer: expireLater(key),
          };
          typists.set(key, typist);
          if (!isFresh) tell(typist, true);
          return {};
        },
      ),
    'typing:stop': (caller, target) =>
      caller.inTurn(enter(caller, target), async ({ key }) => {
        stopNow(key);
        return {};
      }),
  };

  return {
    handlers,
    sent: ({ sender_id, conversation_id }) => stopNow(keyOf(sender_id.toHexString(), conversation_id)),
    disconnected(socketId) {
      for (const [key, typist] of typists) if (typist.socketId === socketId) void stopUnlessBlocked(key);
    },
    close() {
      for (const { timer } of typists.values()) clearTimeout(timer);
      typists.clear();
    },
  };
}

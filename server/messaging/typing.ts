/** Who is typing (PROTOCOL section 4): told to the others, for 6 s at most, never stored. */

import type { Target } from '../../shared/contract/values.ts';
import type { Collections } from '../database/collections.ts';
import type { MessageDocument } from '../database/documents.ts';
import { fromId } from '../database/wire.ts';
import { notFound } from '../errors.ts';
import type { Fanout } from '../fanout/fanout.ts';
import type { Address, ConversationRef } from '../fanout/operations.ts';
import type { Caller } from '../gateway/caller.ts';
import { type AccessRules, refuseBlocked } from './access.ts';

/** After this without another start it stops by itself, in milliseconds. */
const EXPIRY_MS = 6000;
/** A start that is repeated within this is not told again: it only prolongs, in milliseconds. */
const THROTTLE_MS = 3000;

export interface Typing {
  /** @throws ContractError `not_found` for a deactivated or unknown user and a foreign group, `forbidden` under a block */
  start(caller: Caller, target: Target): Promise<Record<string, never>>;
  /** @throws ContractError as `start` */
  stop(caller: Caller, target: Target): Promise<Record<string, never>>;
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
  socketId: string;
  toldAt: number;
  /** Members who neither show nor see typing. */
  without: string[];
  timer: NodeJS.Timeout;
}

export interface TypingOptions {
  collections: Collections;
  access: AccessRules;
  fanout: Fanout;
}

export function createTyping({ collections, access, fanout }: TypingOptions): Typing {
  const { users, groups } = collections;
  const typists = new Map<string, Typist>();
  const keyOf = (userId: string, conversationId: string) => `${userId} ${conversationId}`;

  function tell({ userId, conversation, without }: Typist, is_typing: boolean): void {
    const to: Address =
      conversation.kind === 'group'
        ? { group: conversation.group_id }
        : { users: conversation.user_ids.filter((id) => id !== userId) };
    const payload = { conversation_id: conversation.id, user_id: userId, is_typing };
    fanout.emit(to, 'typing', payload, { users: [userId, ...without] });
  }

  /** Those of the conversation who have typing switched off: they neither show it nor see it. */
  async function switchedOff(conversation: ConversationRef): Promise<string[]> {
    const ids =
      conversation.kind === 'direct'
        ? conversation.user_ids.map(fromId)
        : ((await groups.findOne({ _id: fromId(conversation.group_id) }, { projection: { members: 1 } }))?.members ??
          []);
    const found = await users
      .find({ _id: { $in: ids }, 'settings.typing_indicators_enabled': false }, { projection: { _id: 1 } })
      .toArray();
    return found.map(({ _id }) => _id.toHexString());
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

  return {
    start: (caller, target) =>
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
    stop: (caller, target) =>
      caller.inTurn(enter(caller, target), async ({ key }) => {
        stopNow(key);
        return {};
      }),
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

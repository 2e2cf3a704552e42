/** Users shown as typing: told to the others of a conversation, for 6 s at most, never stored. */
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import { othersIn } from '../conversations/audience.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** Typing ends by itself this long after its last start, in milliseconds. */
const EXPIRY_MS = 6000;
/** A start within this time of the one told last only prolongs it, in milliseconds. */
const REPEAT_MS = 3000;

/** A user who types. */
export interface Typist {
  userId: string;
  conversation: ConversationRef;
  /** Undefined over HTTP. */
  socketId: string | undefined;
  /** Members who must not see it. */
  hiddenFrom: string[];
}

export interface Typists {
  /** Shows a user as typing; a repeated start prolongs it. */
  start(typist: Typist): void;
  /** Shows a user as no longer typing; does nothing where the user was not shown. */
  stop(userId: string, conversationId: string): void;
  /** Ends what was typed by a user who is no longer in a conversation. */
  left(userId: string, conversationId: string): void;
  /** Ends whatever was typed on a device. */
  disconnected(socketId: string): void;
  /** Ends all typing without telling anybody. */
  close(): void;
}

interface Shown extends Typist {
  /** By `performance.now()`. */
  toldAt: number;
  expiry: NodeJS.Timeout;
}

export interface TypistsOptions {
  bus: Pick<Bus, 'emit'>;
  access: Pick<AccessRules, 'isBlocked'>;
}

/** Typing lives in this process only: it means nothing later. */
export function createTypists({ bus, access }: TypistsOptions): Typists {
  const shown = new Map<string, Shown>();

  function tell({ userId, conversation, hiddenFrom }: Typist, is_typing: boolean): void {
    const payload = { conversation_id: conversation.id, user_id: userId, is_typing };
    bus.emit(othersIn(conversation, userId), 'typing', payload, { users: [userId, ...hiddenFrom], by: userId });
  }

  function remove(key: string): Shown | undefined {
    const typist = shown.get(key);
    if (!typist) return undefined;
    clearTimeout(typist.expiry);
    shown.delete(key);
    return typist;
  }

  /** Ends typing on the server's own account. If a block has come between the two since, not even the end is told. */
  async function end(key: string): Promise<void> {
    const typist = remove(key);
    if (!typist) return;
    const { conversation } = typist;
    const isBlocked =
      conversation.kind === 'direct' && (await access.isBlocked(...conversation.user_ids).catch(() => true));
    if (!isBlocked) tell(typist, false);
  }

  return {
    start(typist) {
      const key = keyOf(typist.userId, typist.conversation.id);
      const known = remove(key);
      const expiry = setTimeout(() => void end(key), EXPIRY_MS).unref();
      if (known && performance.now() - known.toldAt < REPEAT_MS) {
        // The end must reach whoever saw the start.
        shown.set(key, { ...typist, hiddenFrom: known.hiddenFrom, toldAt: known.toldAt, expiry });
        return;
      }
      shown.set(key, { ...typist, toldAt: performance.now(), expiry });
      tell(typist, true);
    },
    stop(userId, conversationId) {
      const typist = remove(keyOf(userId, conversationId));
      if (typist) tell(typist, false);
    },
    left: (userId, conversationId) => void end(keyOf(userId, conversationId)),
    disconnected(socketId) {
      for (const [key, typist] of shown) if (typist.socketId === socketId) void end(key);
    },
    close() {
      for (const key of shown.keys()) remove(key);
    },
  };
}

function keyOf(userId: string, conversationId: string): string {
  return `${userId} ${conversationId}`;
}

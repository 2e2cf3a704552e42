/** Who is typing, and saying that oneself is. */
import type { Call } from '../commands.ts';
import type { Target } from '../contract.ts';
import { keyOf } from '../store/state.ts';

/** A sign of typing holds for so long, in milliseconds (PROTOCOL section 4). */
const HOLDS_MS = 6000;
/** It is repeated no sooner than after this, in milliseconds. */
const REPEAT_MS = 3000;
const NOBODY: readonly string[] = [];

export interface TypingOptions {
  call: Call;
  onChanged(): void;
}

export interface Typing {
  /** Who types in a conversation; the list keeps its identity until it changes. */
  in(conversationId: string | undefined): readonly string[];
  /** Somebody begins or stops. */
  told(conversationId: string, userId: string, isTyping: boolean): void;
  /** Says whether the user types: at most every few seconds. */
  set(target: Target, isTyping: boolean): void;
  /** What was typed has been sent, which the server takes for a stop. */
  sent(target: Target): void;
  /** Nobody is known to type any more. */
  clear(): void;
}

export function createTyping({ call, onChanged }: TypingOptions): Typing {
  const typists = new Map<string, readonly string[]>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** When it was last said, by target. */
  const said = new Map<string, number>();

  function told(id: string, userId: string, isTyping: boolean): void {
    const key = `${id} ${userId}`;
    clearTimeout(timers.get(key));
    timers.delete(key);
    if (isTyping) timers.set(key, setTimeout(told, HOLDS_MS, id, userId, false));
    const before = typists.get(id) ?? NOBODY;
    if (before.includes(userId) === isTyping) return;
    const next = isTyping ? [...before, userId] : before.filter((one) => one !== userId);
    if (next.length > 0) typists.set(id, next);
    else typists.delete(id);
    onChanged();
  }

  return {
    in: (id) => (id === undefined ? NOBODY : (typists.get(id) ?? NOBODY)),
    told,
    set(target, isTyping) {
      const key = keyOf(target);
      const last = said.get(key);
      if (isTyping ? last !== undefined && Date.now() - last < REPEAT_MS : last === undefined) return;
      if (isTyping) said.set(key, Date.now());
      else said.delete(key);
      // It means nothing later: where it does not arrive, nothing is lost.
      call(isTyping ? 'typing:start' : 'typing:stop', target).catch(() => said.delete(key));
    },
    sent: (target) => void said.delete(keyOf(target)),
    clear() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      said.clear();
      if (typists.size === 0) return;
      typists.clear();
      onChanged();
    },
  };
}

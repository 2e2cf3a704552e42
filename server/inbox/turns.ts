import type { Target } from '../../shared/contract/values.ts';
import type { Caller } from '../dispatch/caller.ts';

/** Carries out what a user does to one conversation's marks and settings in the order in which it came. */
export type InTurn = <R>(caller: Caller, target: Target, act: () => Promise<R>) => Promise<R>;

/**
 * What the others and the user's own devices are told of marks and settings is how these are at that moment: one change
 * after the other, so that on this node no telling overtakes a later one.
 */
export function createConversationTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (caller, { recipient_id, group_id }, act) => {
    const key = `${caller.id} ${recipient_id ?? group_id}`;
    const before = last.get(key);
    const turn = before ? before.then(act, act) : act();
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  };
}

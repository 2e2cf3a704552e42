/** Holds the state, and tells that it has changed. */
import type { Target } from '../contract.ts';
import type { Change } from './changes.ts';
import { reduce } from './reduce.ts';
import { EMPTY, type Kept, keyOf, type State } from './state.ts';

export interface Store {
  state(): State;
  apply(change: Change): void;
  /** What is kept of a target's conversation, and its id. */
  find(target: Target): [id: string, kept: Kept] | undefined;
}

export function createStore(onChanged: () => void): Store {
  let state = EMPTY;
  let byTarget = new Map<string, string>();
  let indexed = state.conversations;

  /** The ids of conversations by target. */
  function index(): Map<string, string> {
    if (indexed !== state.conversations) {
      indexed = state.conversations;
      byTarget = new Map([...indexed].map(([id, { target }]) => [keyOf(target), id]));
    }
    return byTarget;
  }

  return {
    state: () => state,
    apply(change) {
      const next = reduce(state, change);
      if (next === state) return;
      state = next;
      onChanged();
    },
    find(target) {
      const id = index().get(keyOf(target));
      const kept = id === undefined ? undefined : state.conversations.get(id);
      return kept && [id!, kept];
    },
  };
}

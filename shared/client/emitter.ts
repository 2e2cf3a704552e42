import { callSafely } from './live/live.ts';

/** Listeners by the name of what they listen to. */
export interface Emitter<E> {
  /** @returns ends it */
  on<N extends keyof E>(name: N, listener: (payload: E[N]) => void): () => void;
  emit<N extends keyof E>(name: N, payload: E[N]): void;
}

export function createEmitter<E>(): Emitter<E> {
  const listeners = new Map<keyof E, Set<(payload: never) => void>>();
  return {
    on(name, listener) {
      // Of its own, so that the same function may be given twice.
      const own = (payload: never) => listener(payload);
      const group = listeners.get(name) ?? new Set();
      listeners.set(name, group.add(own));
      return () => void group.delete(own);
    },
    emit(name, payload) {
      for (const listener of [...(listeners.get(name) ?? [])]) callSafely(() => listener(payload as never));
    },
  };
}

/** Where the connection stands, as the app sees it. */
import type { ClientEvents, ConnectionState } from './client.ts';
import type { Emitter } from './emitter.ts';
import type { ClientError } from './errors.ts';

export interface Status {
  state(): ConnectionState;
  error(): ClientError | undefined;
  /** Enters a state and tells it; nothing follows `closed`. */
  enter(state: ConnectionState, error?: ClientError): void;
}

export function createStatus({ emit }: Pick<Emitter<ClientEvents>, 'emit'>): Status {
  let state: ConnectionState = 'connecting';
  let error: ClientError | undefined;
  return {
    state: () => state,
    error: () => error,
    enter(next, reason) {
      if (state === next || state === 'closed') return;
      state = next;
      error = reason;
      emit('state', next);
      if (reason) emit('error', reason);
    },
  };
}

/**
 * The typed client: commands as calls, events as typed listeners. Its connection comes back by itself, unacknowledged
 * sends are repeated, and what was missed is fetched by `sync`. Runs in browsers and in Node.
 */
import type { CommandData, CommandName, CommandPayload, EventName, EventPayload } from '../contract/index.ts';
import { createCatchUp } from './catch-up.ts';
import { type ConnectionOptions, createConnection } from './connection.ts';
import { ClientError, connectionLost } from './errors.ts';
import { createOutbox } from './outbox.ts';

export { ClientError } from './errors.ts';

export interface ClientOptions extends Pick<ConnectionOptions, 'url' | 'getToken' | 'device_info'> {
  /** What this device has already: the highest `rev` by conversation, as `client.revs` was when it stopped. */
  revs?: Record<string, number>;
  /** Whether to fetch what was missed, at the start too. Default true. */
  sync?: boolean;
}

/** The events of the contract, `sync` with each page of what was missed, and `closed` when it will not come back. */
export type ClientEvents = { [N in EventName]: EventPayload<N> } & { sync: CommandData<'sync'>; closed: ClientError };

export interface Client {
  /**
   * Carries out a command. `message:send` waits out a lost connection; other commands fail with it.
   * @throws ClientError
   */
  call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>>;
  /**
   * Listens to an event; the function it returns ends that. After a reconnection a message may come again by `sync`:
   * the one with the higher `rev` counts.
   */
  on<N extends keyof ClientEvents>(name: N, listener: (payload: ClientEvents[N]) => void): () => void;
  /** The highest `rev` seen, by conversation: store it together with the messages. */
  readonly revs: Readonly<Record<string, number>>;
  close(): void;
}

/** Connects, and stays connected until `close` or the end of the session. */
export function connect({ url, getToken, device_info, revs = {}, sync = true }: ClientOptions): Client {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  let closed = false;

  function emit<N extends keyof ClientEvents>(name: N, payload: ClientEvents[N]): void {
    for (const listener of listeners.get(name) ?? []) listener(payload as never);
  }

  const connection = createConnection({
    url,
    getToken,
    device_info,
    onEvent(name, payload) {
      if (name === 'message:new' || name === 'message:updated') catchUp.arrived(name, payload as never);
      else emit(name, payload as never);
    },
    onReady() {
      outbox.flush();
      // A connection that is lost meanwhile begins anew.
      if (sync) catchUp.sync().catch(() => connection.isReady() && connection.again());
    },
    onEnd(error) {
      closed = true;
      outbox.clear(error);
      emit('closed', error);
    },
  });
  const outbox = createOutbox(connection);
  const catchUp = createCatchUp({
    connection,
    revs: { ...revs },
    onMessage: emit,
    onPage: (page) => emit('sync', page),
  });

  return {
    call(name, payload) {
      if (closed) return Promise.reject(connectionLost());
      if (name !== 'message:send') return connection.call(name, payload);
      return outbox.send(payload as CommandPayload<'message:send'>) as ReturnType<typeof connection.call<typeof name>>;
    },
    on(name, listener) {
      const group = listeners.get(name) ?? new Set();
      listeners.set(name, group.add(listener));
      return () => void group.delete(listener);
    },
    get revs() {
      return { ...catchUp.revs };
    },
    close: () => connection.end(new ClientError({ code: 'unavailable', message: 'closed' })),
  };
}

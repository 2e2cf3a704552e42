/**
 * The typed client: commands as calls, events as typed listeners, and a connection that comes back by itself with a
 * fresh token, sends again what was not acknowledged (under the same `client_message_id`) and fetches by `sync` what
 * it missed. Runs in browsers and in Node.
 */
import { io } from 'socket.io-client';
import type { Ack, ErrorCode, WireError } from '../contract/errors.ts';
import type { CommandData, CommandName, CommandPayload, EventName, EventPayload } from '../contract/index.ts';

/** How long an acknowledgement is waited for, in milliseconds. */
const ACK_MS = 10_000;
/** The first and the longest pause before another attempt, in milliseconds; doubled in between, and spread. */
const RETRY_MS = { first: 500, longest: 10_000 };
/** How long before its end a token is replaced, in milliseconds. */
const RENEW_BEFORE_MS = 30_000;

/** A refusal by the server, or `unavailable` when the connection was lost before the answer came. */
export class ClientError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
  constructor({ code, message, details }: WireError) {
    super(message);
    this.name = 'ClientError';
    this.code = code;
    this.details = details;
  }
}

export interface ClientOptions {
  url: string;
  /** Gives an access token that is good for a while; throws a `ClientError` when the session is over. */
  getToken(): string | Promise<string>;
  device_info?: { device_type?: string; app_version?: string; platform?: string };
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
   * Listens to an event; the function that it returns ends that. After a reconnection a message may come again by
   * `sync`: the one with the higher `rev` counts.
   */
  on<N extends keyof ClientEvents>(name: N, listener: (payload: ClientEvents[N]) => void): () => void;
  /** The highest `rev` seen, by conversation: to be stored together with the messages. */
  readonly revs: Readonly<Record<string, number>>;
  close(): void;
}

interface Send {
  payload: CommandPayload<'message:send'>;
  underWay: boolean;
  resolve(data: CommandData<'message:send'>): void;
  reject(error: ClientError): void;
}

const lost = () => new ClientError({ code: 'unavailable', message: 'the connection was lost' });

/** Connects, and stays connected until `close` or the end of the session. */
export function connect(options: ClientOptions): Client {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  const sends = new Set<Send>();
  const revs: Record<string, number> = { ...options.revs };
  /** Messages that arrive while `sync` is under way wait for it, so that everything comes in the order of `rev`. */
  let held: ['message:new' | 'message:updated', EventPayload<'message:new'>][] | undefined;
  let since: string | undefined;
  let ready = false;
  let closed = false;
  let attempts = 0;
  let drainedMs: number | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let renewal: ReturnType<typeof setTimeout> | undefined;

  const socket = io(options.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    autoConnect: false,
    auth: (send) => {
      token().then((fresh) => send({ token: fresh, device_info: options.device_info }), failed);
    },
  });

  function emit<N extends keyof ClientEvents>(name: N, payload: ClientEvents[N]): void {
    for (const listener of listeners.get(name) ?? []) listener(payload as never);
  }

  async function token(): Promise<string> {
    const fresh = await options.getToken();
    const { exp } = JSON.parse(atob(fresh.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as { exp: number };
    clearTimeout(renewal);
    renewal = setTimeout(renew, Math.min(Math.max(exp * 1000 - Date.now() - RENEW_BEFORE_MS, 1000), 2 ** 31 - 1));
    return fresh;
  }

  function renew(): void {
    if (ready)
      token()
        .then((fresh) => call('auth:renew', { token: fresh }))
        .catch(failed);
  }

  function failed(error: unknown): void {
    if (error instanceof ClientError && error.code === 'unauthenticated') end(error);
    else if (!ready) again();
  }

  /** Tries to connect after a pause. */
  function again(): void {
    if (closed) return;
    socket.disconnect();
    clearTimeout(retry);
    const backOff = Math.min(RETRY_MS.first * 2 ** attempts++, RETRY_MS.longest) * (0.5 + Math.random() / 2);
    retry = setTimeout(() => socket.connect(), drainedMs ?? backOff);
    drainedMs = undefined;
  }

  function end(error: ClientError): void {
    if (closed) return;
    closed = true;
    clearTimeout(retry);
    clearTimeout(renewal);
    socket.disconnect();
    for (const send of sends) send.reject(error);
    sends.clear();
    emit('closed', error);
  }

  function transmit(send: Send): void {
    if (!ready || send.underWay) return;
    send.underWay = true;
    socket
      .timeout(ACK_MS)
      .emit('message:send', send.payload, (error: unknown, answer: Ack<CommandData<'message:send'>>) => {
        send.underWay = false;
        if (error) return transmit(send);
        if (!answer.ok && answer.error.code === 'unavailable') return void setTimeout(transmit, RETRY_MS.first, send);
        sends.delete(send);
        if (answer.ok) send.resolve(answer.data);
        else send.reject(new ClientError(answer.error));
      });
  }

  function call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>> {
    return new Promise((resolve, reject) => {
      if (!ready) return reject(lost());
      socket.timeout(ACK_MS).emit(name, payload, (error: unknown, answer: Ack<CommandData<N>>) => {
        if (error) reject(lost());
        else if (answer.ok) resolve(answer.data);
        else reject(new ClientError(answer.error));
      });
    });
  }

  function see({ conversation_id, rev }: { conversation_id: string; rev: number }): void {
    revs[conversation_id] = Math.max(revs[conversation_id] ?? 0, rev);
  }

  async function sync(): Promise<void> {
    held ??= [];
    for (let more = true; more; ) {
      const page = await call('sync', { conversations: revs, ...(since === undefined ? {} : { since }) });
      for (const { messages } of page.conversations) messages.forEach(see);
      for (const id of page.gone) delete revs[id];
      emit('sync', page);
      more = page.has_more;
      if (!more) since = page.server_time;
    }
    const waiting = held;
    held = undefined;
    for (const [name, payload] of waiting) deliver(name, payload);
  }

  function deliver(name: 'message:new' | 'message:updated', payload: EventPayload<'message:new'>): void {
    if (held) return void held.push([name, payload]);
    if (payload.message.rev <= (revs[payload.message.conversation_id] ?? 0)) return;
    see(payload.message);
    emit(name, payload);
  }

  socket.onAny((name: EventName, payload: unknown) => {
    if (name === 'message:new' || name === 'message:updated') deliver(name, payload as EventPayload<'message:new'>);
    else emit(name, payload as never);
  });
  socket.on('session:ready', () => {
    ready = true;
    attempts = 0;
    for (const send of sends) transmit(send);
    // A connection that is lost meanwhile begins anew.
    if (options.sync !== false) sync().catch(() => ready && again());
  });
  socket.on('server:draining', ({ reconnect_in_ms }: EventPayload<'server:draining'>) => {
    drainedMs = reconnect_in_ms;
  });
  socket.on('session:revoked', () => end(new ClientError({ code: 'unauthenticated', message: 'signed out' })));
  socket.on('connect_error', (error: Error & { data?: WireError }) => {
    failed(error.data ? new ClientError(error.data) : error);
  });
  socket.on('disconnect', () => {
    ready = false;
    again();
  });
  socket.connect();

  return {
    call(name, payload) {
      if (closed) return Promise.reject(lost());
      if (name !== 'message:send') return call(name, payload);
      return new Promise((resolve, reject) => {
        const sent = { client_message_id: crypto.randomUUID(), ...(payload as CommandPayload<'message:send'>) };
        const send: Send = { payload: sent, underWay: false, resolve: resolve as Send['resolve'], reject };
        sends.add(send);
        transmit(send);
      });
    },
    on(name, listener) {
      const group = listeners.get(name) ?? new Set();
      listeners.set(name, group.add(listener));
      return () => void group.delete(listener);
    },
    get revs() {
      return { ...revs };
    },
    close: () => end(new ClientError({ code: 'unavailable', message: 'closed' })),
  };
}

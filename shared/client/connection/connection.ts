/** A connection that comes back by itself until its session is over. */
import type { CommandData, CommandName, CommandPayload, EventName, EventPayload, WireError } from '../contract.ts';
import { ClientError, connectionLost } from '../errors.ts';
import { backOff } from './back-off.ts';
import { watchReachability } from './reachability.ts';
import { createSocket, type SocketOptions } from './socket.ts';

/** How long the server has to say `session:ready`, in milliseconds. */
const READY_MS = 20_000;
const RETRY = { first: 500, longest: 10_000 };

export interface ConnectionOptions extends Omit<SocketOptions, 'onNoToken'> {
  onEvent(name: EventName, payload: unknown): void;
  onPhase(phase: Phase): void;
  /** It will not come back. */
  onEnd(error: ClientError): void;
}

/** `ready`: the server takes commands. */
export type Phase = 'connecting' | 'ready' | 'offline';

export interface Connection {
  isReady(): boolean;
  /** Begins. */
  open(): void;
  /** Carries out a command. @throws ClientError; `unavailable` without a connection */
  call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>>;
  /** Gives up the connection and makes a new one after a pause. */
  again(): void;
  /** Ends it for good. */
  end(): void;
}

/** Makes a connection; it stays until `end`, or the end of its session. */
export function createConnection({ onEvent, onPhase, onEnd, ...options }: ConnectionOptions): Connection {
  let phase: Phase | 'ended' = 'offline';
  let attempts = 0;
  /** How long a draining server asks to be left alone, in milliseconds. */
  let drainedMs: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { socket, call, refused, stop } = createSocket({ ...options, onNoToken });
  const reachability = watchReachability(tryNow, again);

  function enter(next: Phase): void {
    if (phase === next || phase === 'ended') return;
    phase = next;
    onPhase(next);
  }

  function attempt(): void {
    if (phase !== 'offline' || !reachability.isOnline()) return;
    enter('connecting');
    clearTimeout(timer);
    timer = setTimeout(again, READY_MS);
    socket.connect();
  }

  function again(): void {
    if (phase === 'ended') return;
    clearTimeout(timer);
    timer = setTimeout(attempt, drainedMs ?? backOff(attempts++, RETRY));
    drainedMs = undefined;
    enter('offline');
    socket.disconnect();
  }

  function tryNow(): void {
    if (phase !== 'offline') return;
    attempts = 0;
    clearTimeout(timer);
    attempt();
  }

  function end(error?: ClientError): void {
    if (phase === 'ended') return;
    phase = 'ended';
    clearTimeout(timer);
    reachability.stop();
    stop();
    if (error) onEnd(error);
  }

  function onNoToken(error: unknown): void {
    if (error instanceof ClientError && error.code === 'unauthenticated') end(error);
    else if (phase === 'connecting') again();
  }

  socket.onAny((name: EventName, payload: unknown) => {
    if (phase === 'ended') return;
    if (name === 'server:draining') drainedMs = (payload as EventPayload<'server:draining'>).reconnect_in_ms;
    onEvent(name, payload);
    if (name === 'session:revoked') end(new ClientError({ code: 'unauthenticated', message: 'signed out' }));
    if (name !== 'session:ready') return;
    clearTimeout(timer);
    attempts = 0;
    enter('ready');
  });
  socket.on('connect_error', ({ data }: Error & { data?: WireError }) => {
    // The token may have run out on the way: the session is over where there is no other.
    if (data?.code === 'unauthenticated') refused();
    if (phase === 'connecting') again();
  });
  socket.on('disconnect', () => {
    if (phase !== 'offline') again();
  });
  return {
    isReady: () => phase === 'ready',
    open: tryNow,
    call: (name, payload) => (phase === 'ready' ? call(name, payload) : Promise.reject(connectionLost())),
    again,
    end: () => end(),
  };
}

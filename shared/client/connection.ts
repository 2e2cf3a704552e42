/** A connection that comes back by itself, with a fresh token, until its session is over. */
import { io } from 'socket.io-client';
import type { Ack, WireError } from '../contract/errors.ts';
import type { CommandData, CommandName, CommandPayload, EventName, EventPayload } from '../contract/index.ts';
import { ClientError, connectionLost } from './errors.ts';
import { createRenewal } from './renewal.ts';

/** How long an acknowledgement is waited for, in milliseconds. */
const ACK_MS = 10_000;
/** The first and the longest pause before another attempt, in milliseconds; doubled in between, and spread. */
const RETRY_MS = { first: 500, longest: 10_000 };

export interface ConnectionOptions {
  url: string;
  /** Gives an access token that is good for a while; throws a `ClientError` when the session is over. */
  getToken(): string | Promise<string>;
  device_info?: { device_type?: string; app_version?: string; platform?: string } | undefined;
  onEvent(name: EventName, payload: unknown): void;
  /** The server takes commands from now on. */
  onReady(): void;
  /** It will not come back. */
  onEnd(error: ClientError): void;
}

export interface Connection {
  isReady(): boolean;
  /** Carries out a command. @throws ClientError; `unavailable` without a connection */
  call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>>;
  /** Gives up the connection and makes a new one after a pause. */
  again(): void;
  end(error: ClientError): void;
}

/** Connects at once, and stays connected until `end`. */
export function createConnection({
  url,
  getToken,
  device_info,
  onEvent,
  onReady,
  onEnd,
}: ConnectionOptions): Connection {
  let ready = false;
  let ended = false;
  let attempts = 0;
  /** How long a draining server asks to be left alone, in milliseconds. */
  let drainedMs: number | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const renewal = createRenewal(
    getToken,
    (token) => {
      if (ready) call('auth:renew', { token }).catch(failed);
    },
    failed,
  );
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    autoConnect: false,
    auth: (send) => {
      renewal.next().then((token) => send({ token, device_info }), failed);
    },
  });

  function call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>> {
    return new Promise((resolve, reject) => {
      if (!ready) return reject(connectionLost());
      socket.timeout(ACK_MS).emit(name, payload, (error: unknown, answer: Ack<CommandData<N>>) => {
        if (error) reject(connectionLost());
        else if (answer.ok) resolve(answer.data);
        else reject(new ClientError(answer.error));
      });
    });
  }

  function again(): void {
    if (ended) return;
    socket.disconnect();
    clearTimeout(retry);
    const backOff = Math.min(RETRY_MS.first * 2 ** attempts++, RETRY_MS.longest) * (0.5 + Math.random() / 2);
    retry = setTimeout(() => socket.connect(), drainedMs ?? backOff);
    drainedMs = undefined;
  }

  function end(error: ClientError): void {
    if (ended) return;
    ended = true;
    clearTimeout(retry);
    renewal.stop();
    socket.disconnect();
    onEnd(error);
  }

  function failed(error: unknown): void {
    if (error instanceof ClientError && error.code === 'unauthenticated') end(error);
    else if (!ready) again();
  }

  socket.onAny(onEvent);
  socket.on('session:ready', () => {
    ready = true;
    attempts = 0;
    onReady();
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
  return { isReady: () => ready, call, again, end };
}

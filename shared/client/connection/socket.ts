/** One socket of Socket.IO, with a fresh token for each of its connections. */
import { io, type Socket } from 'socket.io-client';
import type { Ack, CommandData, CommandName, CommandPayload } from '../contract.ts';
import { ClientError, connectionLost } from '../errors.ts';
import { createRenewal } from './renewal.ts';

/** How long an acknowledgement is waited for, in milliseconds: longer than the server takes to refuse. */
const ACK_MS = 10_000;

export interface DeviceInfo {
  device_type?: string;
  app_version?: string;
  platform?: string;
}

export interface SocketOptions {
  url: string;
  /** Gives an access token that is good for a while; throws a `ClientError` `unauthenticated` when the session is over. */
  getToken(): string | Promise<string>;
  device_info?: DeviceInfo | undefined;
  /** There is no token, or the one there is was refused. */
  onNoToken(error: unknown): void;
}

export interface AuthenticatedSocket {
  socket: Socket;
  /** Carries out a command. @throws ClientError; `unavailable` without a connection */
  call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>>;
  /** The server has refused the token of the handshake: it is not tried again. */
  refused(): void;
  stop(): void;
}

export function createSocket({ url, getToken, device_info, onNoToken }: SocketOptions): AuthenticatedSocket {
  let token: string | undefined;
  let refusedToken: string | undefined;
  const renewal = createRenewal(getToken, renew, onNoToken);
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    autoConnect: false,
    auth: (send) => {
      renewal.next().then((next) => {
        const refusal = { code: 'unauthenticated', message: 'the token was refused' } as const;
        if (next === refusedToken) return onNoToken(new ClientError(refusal));
        token = next;
        send({ token, ...(device_info ? { device_info } : {}) });
      }, onNoToken);
    },
  });

  function call<N extends CommandName>(name: N, payload: CommandPayload<N>): Promise<CommandData<N>> {
    return new Promise((resolve, reject) => {
      const lost = () => reject(connectionLost());
      if (!socket.connected) return lost();
      socket.once('disconnect', lost);
      socket.timeout(ACK_MS).emit(name, payload, (error: unknown, answer: Ack<CommandData<N>>) => {
        socket.off('disconnect', lost);
        if (error) lost();
        else if (answer.ok) resolve(answer.data);
        else reject(new ClientError(answer.error));
      });
    });
  }

  function renew(next: string): void {
    token = next;
    if (socket.connected) call('auth:renew', { token }).catch(onNoToken);
  }

  return {
    socket,
    call,
    refused() {
      refusedToken = token;
    },
    stop() {
      renewal.stop();
      socket.disconnect();
    },
  };
}

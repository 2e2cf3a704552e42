/** Sends that wait out a lost connection: repeated under the same `client_message_id` until they are acknowledged. */
import type { CommandData, CommandPayload } from '../contract/index.ts';
import type { Connection } from './connection.ts';
import { ClientError } from './errors.ts';

/** The pause before a send is repeated, in milliseconds. */
const RETRY_MS = 500;

type Payload = CommandPayload<'message:send'>;
type Data = CommandData<'message:send'>;

interface Send {
  payload: Payload;
  underWay: boolean;
  resolve(data: Data): void;
  reject(error: unknown): void;
}

export interface Outbox {
  /** @throws ClientError when the server refuses the message, or the client is closed first */
  send(payload: Payload): Promise<Data>;
  /** The connection is ready: what waits goes out. */
  flush(): void;
  /** Refuses everything that waits. */
  clear(error: ClientError): void;
}

export function createOutbox(connection: Pick<Connection, 'call' | 'isReady'>): Outbox {
  const sends = new Set<Send>();

  function transmit(send: Send): void {
    if (send.underWay || !connection.isReady() || !sends.has(send)) return;
    send.underWay = true;
    connection.call('message:send', send.payload).then(
      (data) => {
        sends.delete(send);
        send.resolve(data);
      },
      (error: unknown) => {
        send.underWay = false;
        if (error instanceof ClientError && error.code === 'unavailable')
          return void setTimeout(transmit, RETRY_MS, send);
        sends.delete(send);
        send.reject(error);
      },
    );
  }

  return {
    send: (payload) =>
      new Promise((resolve, reject) => {
        const identified = { client_message_id: crypto.randomUUID(), ...payload };
        const send: Send = { payload: identified, underWay: false, resolve, reject };
        sends.add(send);
        transmit(send);
      }),
    flush() {
      for (const send of sends) transmit(send);
    },
    clear(error) {
      for (const send of sends) send.reject(error);
      sends.clear();
    },
  };
}

/** Pairs of users, users 0 to n - 1 with users n to 2n - 1: what flows between them, on either side and by either load. */
import type { Socket } from 'socket.io-client';
import { connectMany, disconnect } from './devices.ts';
import { connectManyRaw } from './raw-device.ts';
import type { Side } from './sides.ts';

const TEXT = 'A message of usual length, as people write them: some words, no more.';

export interface Pairs {
  count: number;
  /** The first of a pair writes to the second. @param answered told whether it was acknowledged */
  send(pair: number, answered: (ok: boolean) => void): void;
  /** Messages that arrived. */
  received(): number;
  close(): void;
}

export type ConnectPairs = (side: Side, count: number) => Promise<Pairs>;

interface Answer {
  ok: boolean;
}

/** By socket.io-client, as clients are. */
export const connectPairs: ConnectPairs = async (side, count) => {
  const sockets = await connectMany(side, 0, count * 2);
  let received = 0;
  for (const receiver of sockets.slice(count)) receiver.on('message:new', () => received++);
  return {
    count,
    send(pair, answered) {
      const payload = { recipient_id: side.id(count + pair), content: TEXT };
      sockets[pair]!.emit('message:send', payload, ({ ok }: Answer) => answered(ok));
    },
    received: () => received,
    close: () => disconnect(sockets),
  };
};

/** By packets made by hand. */
export const connectRawPairs: ConnectPairs = async (side, count) => {
  const devices = await connectManyRaw(side, 0, count * 2);
  return {
    count,
    send: (pair, answered) =>
      devices[pair]!.request('message:send', { recipient_id: side.id(count + pair), content: TEXT }, answered),
    received: () => devices.slice(count).reduce((sum, device) => sum + device.received('message:new'), 0),
    close: () => {
      for (const device of devices) device.close();
    },
  };
};

export interface Lives {
  count: number;
  /**
   * One life in a pair: a message is sent; once it is there, its recipient acknowledges it as delivered; once that is
   * acknowledged, as read. @param ended told whether all three were acknowledged
   */
  live(pair: number, ended: (ok: boolean) => void): void;
  close(): void;
}

export async function connectLives(side: Side, count: number): Promise<Lives> {
  const sockets = await connectMany(side, 0, count * 2);
  return {
    count,
    live(pair, ended) {
      const [sender, recipient] = [sockets[pair]!, sockets[count + pair]!];
      void Promise.all([
        sender.emitWithAck('message:send', { recipient_id: side.id(count + pair), content: TEXT }),
        receipts(recipient, side.id(pair)),
      ]).then(([sent, others]) => ended([sent, ...others].every(({ ok }: Answer) => ok)));
    },
    close: () => disconnect(sockets),
  };
}

async function receipts(recipient: Socket, recipient_id: string): Promise<Answer[]> {
  const seq = await new Promise<number | undefined>((resolve) => {
    recipient.once('message:new', ({ message }: { message: { seq?: number } }) => resolve(message.seq));
  });
  // The relay numbers nothing.
  const mark = { recipient_id, up_to_seq: seq ?? 1 };
  return [await recipient.emitWithAck('message:delivered', mark), await recipient.emitWithAck('message:read', mark)];
}

/**
 * A device that costs its own process next to nothing: WebSocket frames with Socket.IO packets written and read by hand,
 * so that more of the machine is left to the side that is measured.
 */
import { WebSocket } from 'ws';
import type { Side } from './sides.ts';

export interface RawDevice {
  /** Sends a command. @param answered told whether it was carried out, and the packet */
  request(name: string, payload: object, answered: (ok: boolean, packet: string) => void): void;
  /** How many events of each name came. */
  received(name: string): number;
  close(): void;
}

export async function connectRaw(side: Side, user: number): Promise<RawDevice> {
  const url = `${side.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const waiting = new Map<number, (ok: boolean, packet: string) => void>();
  const counts = new Map<string, number>();
  const isReady = (packet: string) =>
    packet.startsWith(side.ready === 'connect' ? '40{' : `42[${JSON.stringify(side.ready)}`);
  let [id, ready, refused] = [0, () => {}, (_: Error) => {}];
  let isOpen = false;
  const opened = new Promise<void>((resolve, reject) => {
    [ready, refused] = [resolve, reject];
  });
  socket.on('error', (error) => refused(error));
  socket.on('close', () => {
    refused(new Error('closed'));
    // Nobody waits for what will not come.
    for (const answered of waiting.values()) answered(false, '');
    waiting.clear();
  });
  socket.on('message', (data: Buffer) => {
    const packet = data.toString();
    if (packet === '2') socket.send('3');
    else if (packet.startsWith('0{')) socket.send(`40${JSON.stringify(side.auth(user))}`);
    else if (packet.startsWith('44')) refused(new Error(packet));
    else if (packet.startsWith('43')) {
      const bracket = packet.indexOf('[');
      const number = Number(packet.slice(2, bracket));
      const answered = waiting.get(number);
      waiting.delete(number);
      answered?.(packet.startsWith('{"ok":true', bracket + 1), packet);
    } else if (!isOpen && isReady(packet)) {
      isOpen = true;
      ready();
    } else if (packet.startsWith('42["')) {
      const name = packet.slice(4, packet.indexOf('"', 4));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  });
  await opened;
  return {
    request(name, payload, answered) {
      if (socket.readyState !== WebSocket.OPEN) {
        answered(false, '');
        return;
      }
      waiting.set(id, answered);
      socket.send(`42${id++}[${JSON.stringify(name)},${JSON.stringify(payload)}]`);
    },
    received: (name) => counts.get(name) ?? 0,
    close: () => socket.terminate(),
  };
}

/** One for each user from one number up to another, a few at a time. @returns them in the order of users */
export async function connectManyRaw(side: Side, from: number, to: number, atOnce = 25): Promise<RawDevice[]> {
  const devices: RawDevice[] = [];
  let next = from;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < to) {
        const user = next++;
        devices[user - from] = await connectRaw(side, user);
      }
    }),
  );
  return devices;
}

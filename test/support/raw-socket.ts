/** A client below Socket.IO: frames as they are, to send what no well-behaved client sends. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface RawSocket {
  /** Sends one frame: text, or binary. */
  send(frame: string | Buffer): void;
  /** The frames received so far. */
  frames: string[];
  /** The first frame, received already or still to come, that begins so. */
  frame(prefix: string, timeoutMs?: number): Promise<string>;
  closed: Promise<void>;
  isOpen(): boolean;
  close(): void;
}

/** Opens a WebSocket to the Engine.IO endpoint; nothing is sent yet. @throws Error when it is refused */
export async function openRaw(base: string, headers: Record<string, string> = {}): Promise<RawSocket> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { headers });
  const frames: string[] = [];
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // The server may cut the connection in the middle of a frame.
  socket.on('error', () => {});
  socket.on('message', (data) => frames.push(data.toString()));
  await once(socket, 'open');
  return {
    send: (frame) => socket.send(frame),
    frames,
    async frame(prefix, timeoutMs = 5000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const found = frames.find((frame) => frame.startsWith(prefix));
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`no frame ${prefix} in ${JSON.stringify(frames)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    closed,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => socket.terminate(),
  };
}

/** Opens and authenticates; resolves after `session:ready`. */
export async function connectRaw(base: string, token: string): Promise<RawSocket> {
  const raw = await openRaw(base);
  raw.send(`40${JSON.stringify({ token })}`);
  await raw.frame('42["session:ready"');
  return raw;
}

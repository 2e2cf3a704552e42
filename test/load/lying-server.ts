/** A server of one conversation that breaks what the real one promises, so that the check can be checked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

/** What it does with each fifth message. */
export type Lie = 'none' | 'loses it' | 'stores it twice' | 'tells it twice' | 'tells it late' | 'does not tell it';

interface Message {
  conversation_id: string;
  seq: number;
  rev: number;
  sender_id: string;
  client_message_id: string;
}

const LIE_EVERY = 5;

export async function startLyingServer(lie: Lie): Promise<{ url: string; close(): Promise<void> }> {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false });
  /** What `sync` gives. */
  const stored: Message[] = [];
  let tellLate: (() => void) | undefined;
  let sent = 0;
  let seq = 0;

  function store(sender_id: string, client_message_id: string): Message {
    seq++;
    const message = { conversation_id: 'c', seq, rev: seq, sender_id, client_message_id };
    stored.push(message);
    return message;
  }

  function send(socket: Socket, client_message_id: string): Message {
    const tell = (told: Message) => socket.broadcast.emit('message:new', { message: told });
    const sender = socket.handshake.auth.token as string;
    const message = store(sender, client_message_id);
    sent++;
    const told = sent % LIE_EVERY === 0 ? lie : 'none';
    if (told === 'loses it') stored.pop();
    else if (told === 'tells it late') tellLate = () => tell(message);
    else if (told !== 'does not tell it') tell(message);
    if (told === 'tells it twice') tell(message);
    // After the next message of the same user.
    if (sent % LIE_EVERY === 2) tellLate?.();
    if (told === 'stores it twice') tell(store(sender, client_message_id));
    return message;
  }

  io.on('connection', (socket) => {
    socket.onAny((name: string, payload: { client_message_id: string }, acknowledge: (answer: unknown) => void) => {
      const entry = { conversation: { conversation_id: 'c', last_seq: seq }, messages: stored, has_more: false };
      if (name === 'sync') acknowledge({ ok: true, data: { conversations: seq > 0 ? [entry] : [], has_more: false } });
      else if (name === 'message:send') {
        acknowledge({ ok: true, data: { message: send(socket, payload.client_message_id) } });
      } else acknowledge({ ok: true, data: {} });
    });
    socket.emit('session:ready', {});
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, close: () => io.close() };
}

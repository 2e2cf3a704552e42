/**
 * The bare relay: Socket.IO and nothing else. No authentication, no validation, no storage. It takes the server's
 * commands and tells whom the server tells.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

type Acknowledge = (answer: unknown) => void;
interface Target {
  recipient_id?: string;
  group_id?: string;
}

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
/** Whom receipts of the group concern. */
let lastSender = '';

const roomOf = ({ recipient_id, group_id }: Target) => group_id ?? `user:${recipient_id}`;

io.on('connection', (socket) => {
  const user: string = socket.handshake.auth.user;
  socket.join([`user:${user}`, 'group']);
  socket.on('message:send', (message: Target, acknowledge: Acknowledge) => {
    if (message.group_id) lastSender = user;
    socket.to(roomOf(message)).emit('message:new', { message });
    acknowledge({ ok: true, data: { message } });
  });
  for (const name of ['message:delivered', 'message:read']) {
    socket.on(name, (mark: Target, acknowledge: Acknowledge) => {
      socket.to(mark.group_id ? `user:${lastSender}` : roomOf(mark)).emit('message:status', { ...mark, user_id: user });
      acknowledge({ ok: true, data: {} });
    });
  }
  socket.on('message:react', (message: object, acknowledge: Acknowledge) => {
    socket.to('group').emit('message:updated', { message });
    acknowledge({ ok: true, data: { message } });
  });
});

http.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(http.address() as AddressInfo).port}`);
});

/** The bare relay: Socket.IO and nothing else. No authentication, no validation, no storage. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  socket.join([`user:${socket.handshake.auth.user}`, 'group']);
  socket.on('send', (message: { to: string }, acknowledge: (answer: unknown) => void) => {
    socket.to(message.to).emit('message', { message });
    acknowledge({ ok: true, data: { message } });
  });
});

http.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(http.address() as AddressInfo).port}`);
});

/** The bare relay as one of several nodes: Socket.IO, the Redis adapter, and nothing else. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const [publisher, subscriber] = [new Redis(process.env.REDIS_URL!), new Redis(process.env.REDIS_URL!)];
const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  adapter: createAdapter(publisher, subscriber),
});

io.on('connection', (socket) => {
  socket.join(`user:${socket.handshake.auth.user}`);
  socket.on('send', (message: { to: string; content: string }, acknowledge: (answer: unknown) => void) => {
    socket.to(message.to).emit('message', { message });
    acknowledge({ ok: true, data: { message } });
  });
});

http.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(http.address() as AddressInfo).port}`);
});

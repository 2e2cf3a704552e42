import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { isUnavailable } from '../../server/model/failures.ts';

it('a write to a connection that the other side has just closed means that the store is unavailable', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.resume();
  await once(socket, 'end');
  const failed = once(socket, 'error');
  socket.write('too late');
  const [error] = await failed;
  expect(error.code).toBe('EPIPE');
  expect(isUnavailable(error)).toBe(true);
  server.close();
});

it('no other error means that', () => {
  expect(isUnavailable(new Error('a bug'))).toBe(false);
  expect(isUnavailable(undefined)).toBe(false);
});

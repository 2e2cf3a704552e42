import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { IoSocket } from '../../server/delivery/io.ts';
import { createTokenExpiry } from '../../server/gateway/token-expiry.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A socket that notes what ends it. */
function fakeSocket() {
  const seen: string[] = [];
  const socket = {
    id: 'socket',
    emit: (event: string) => void seen.push(event),
    disconnect: () => void seen.push('disconnected'),
    conn: { close: () => {} },
  } as unknown as IoSocket;
  return { socket, seen };
}

const after = (ms: number) => new Date(Date.now() + ms);
const ENDED = ['session:expired', 'disconnected'];

it('ends a connection within 60 s after its token expires, and not with it', async () => {
  const { socket, seen } = fakeSocket();
  createTokenExpiry(() => new Date()).set(socket, after(10 * SECOND));
  await vi.advanceTimersByTimeAsync(10 * SECOND + 30 * SECOND);
  expect(seen).toEqual([]);
  await vi.advanceTimersByTimeAsync(30 * SECOND);
  expect(seen).toEqual(ENDED);
});

it('lets a renewed connection live until the newer token expires', async () => {
  const { socket, seen } = fakeSocket();
  const expiry = createTokenExpiry(() => new Date());
  expiry.set(socket, after(0));
  await vi.advanceTimersByTimeAsync(40 * SECOND);
  expiry.set(socket, after(900 * SECOND));
  await vi.advanceTimersByTimeAsync(900 * SECOND);
  expect(seen).toEqual([]);
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  expect(seen).toEqual(ENDED);
});

it('keeps times that no single timer can hold', async () => {
  const { socket, seen } = fakeSocket();
  createTokenExpiry(() => new Date()).set(socket, after(60 * DAY));
  await vi.advanceTimersByTimeAsync(60 * DAY);
  expect(seen).toEqual([]);
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  expect(seen).toEqual(ENDED);
});

it('leaves no timer for a connection that has ended by itself', async () => {
  const { socket, seen } = fakeSocket();
  const expiry = createTokenExpiry(() => new Date());
  expiry.set(socket, after(10 * SECOND));
  expiry.clear(socket.id);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(DAY);
  expect(seen).toEqual([]);
});

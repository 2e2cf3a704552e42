import { afterAll, beforeAll, expect, it } from 'vitest';
import { register } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, openRaw, type RawSocket } from '../support/raw-socket.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** How long a connection may stay outside the namespace, and how many of one address may, as docs/operations.md says. */
const OUTSIDE_MS = 10_000;
const MOST = 256;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { RATE_LIMITS: 'on', TRUST_PROXY: 'on' } });
});
afterAll(() => server.stop());

const from = (address: string) => ({ 'x-forwarded-for': address });

/** Opens connections until one is refused. */
async function openUntilRefused(address: string, most: number): Promise<RawSocket[]> {
  const open: RawSocket[] = [];
  while (open.length < most) {
    const next = await openRaw(server.url, from(address)).catch(() => undefined);
    if (!next) break;
    open.push(next);
  }
  return open;
}

it.concurrent.each([
  ['never joins', async () => openRaw(server.url)],
  [
    'has left',
    async () => {
      const raw = await connectRaw(server.url, (await register(server.url)).access_token);
      raw.send('41');
      return raw;
    },
  ],
  [
    'was refused',
    async () => {
      const raw = await openRaw(server.url);
      raw.send('40{"token":"no"}');
      await raw.frame('44');
      return raw;
    },
  ],
])('a connection that %s ends by itself', { timeout: 3 * OUTSIDE_MS }, async (_name, open) => {
  const raw = await open();
  const openedAt = performance.now();
  await raw.closed;
  expect(performance.now() - openedAt).toBeLessThan(2 * OUTSIDE_MS);
});

it.concurrent('a connection that leaves and joins again stays', { timeout: 3 * OUTSIDE_MS }, async () => {
  const { access_token: token } = await register(server.url);
  const raw = await connectRaw(server.url, token);
  raw.send('41');
  // A packet to join that comes along with the one to leave is against the protocol.
  await new Promise((resolve) => setTimeout(resolve, 500));
  raw.frames.length = 0;
  raw.send(`40${JSON.stringify({ token })}`);
  await raw.frame('42["session:ready"');
  await new Promise((resolve) => setTimeout(resolve, OUTSIDE_MS + 1000));
  expect(raw.isOpen()).toBe(true);
  raw.close();
});

it('one address can hold so many connections that have not joined, and no other address notices', async () => {
  const open = await openUntilRefused('10.0.0.1', MOST + 10);
  expect(open).toHaveLength(MOST);
  const { access_token: token } = await register(server.url);
  const other = await openRaw(server.url, from('10.0.0.2'));
  other.send(`40${JSON.stringify({ token })}`);
  await other.frame('42["session:ready"');
  // Whoever joins, or goes, makes room.
  open[0]!.send(`40${JSON.stringify({ token })}`);
  await open[0]!.frame('42["session:ready"');
  open[1]!.close();
  await eventually(async () => expect((await openUntilRefused('10.0.0.1', 2)).length).toBeGreaterThan(0));
  for (const raw of [...open, other]) raw.close();
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOutgoing } from '../../server/delivery/outgoing.ts';
import { connect, type Device, register, registerMany } from '../support/client.ts';
import { connectRaw, type RawSocket } from '../support/raw-socket.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('what leaves a node', () => {
  const sizes: Record<string, number> = { large: 1000, small: 3 };
  const sent: [string, number][] = [];
  const count = createOutgoing({ size: (room) => sizes[room] ?? 0 }, (userId, bytes) => sent.push([userId, bytes]));

  it('counts for who caused it, by the devices that hear it', () => {
    count('a', ['large'], { text: 'x'.repeat(100) });
    count('a', ['large', 'large', 'none'], { text: 'x'.repeat(100) });
    expect(sent.map(([userId]) => userId)).toEqual(['a', 'a']);
    expect(sent[0]![1]).toBeGreaterThan(100_000);
    expect(sent[1]![1]).toBe(2 * sent[0]![1]);
  });

  it('is not counted for few devices, nor where nobody caused it', () => {
    sent.length = 0;
    count('a', ['small'], { text: 'x'.repeat(100_000) });
    count(undefined, ['large'], {});
    expect(sent).toEqual([]);
  });
});

describe('a sender whose messages reach many devices', () => {
  const content = 'x'.repeat(16 * 1024);
  let server: TestServer;
  let sender: Device;
  let ears: RawSocket[];
  let group_id: string;
  beforeAll(async () => {
    server = await startServer({ env: { RATE_LIMITS: 'on' } });
    sender = await connect(server.url, await register(server.url));
    const member = await register(server.url);
    group_id = (await sender.ok('group:create', { name: 'G', member_ids: [member.id] })).group._id;
    ears = [];
    while (ears.length < 100) ears.push(await connectRaw(server.url, member.access_token));
  });
  afterAll(async () => {
    for (const ear of ears) ear.close();
    await server.stop();
  });

  /** Sends one message after the other until one is refused. @returns how many were sent, and in how many seconds */
  async function sendUntilRefused(device: Device, target: { group_id: string } | { recipient_id: string }) {
    const startedAt = performance.now();
    let count = 0;
    while (count < 60) {
      const { ok, error } = await device.raw('message:send', { ...target, content });
      if (!ok) {
        expect(error!.code).toBe('rate_limited');
        break;
      }
      count++;
    }
    return { count, seconds: (performance.now() - startedAt) / 1000 };
  }

  it('pays for the bytes that go out, and can go on after some seconds', async () => {
    const { count, seconds } = await sendUntilRefused(sender, { group_id });
    // Each message is 1.6 MiB to all of them, which is 41 points with its own, of 1,600 and 400 a second.
    expect(count).toBeLessThanOrEqual((1600 + 400 * seconds) / 41 + 1);
    await expect.poll(async () => (await sender.raw('typing:stop', { group_id })).ok, { timeout: 30_000 }).toBe(true);
  });

  it('is no matter to who writes to few', async () => {
    const [one, other] = await registerMany(server.url, 2);
    const device = await connect(server.url, one!);
    expect((await sendUntilRefused(device, { recipient_id: other!.id })).count).toBe(60);
  });
});

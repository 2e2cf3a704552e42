/** Connections that break, programs that end, storages that fail: nothing is lost, nothing is told twice. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folder } from '../../shared/client/storage/folder.ts';
import { memory } from '../../shared/client/storage/memory.ts';
import type { Storage } from '../../shared/client/storage/storage.ts';
import { type Account, connect as device, registerMany } from '../support/client.ts';
import { startProxy, type Way } from '../support/proxy.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { open, openReady, ready, record, shownBy } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});
const pair = async () => (await registerMany(server.url, 2)) as [Account, Account];

/** A way to the server that can be cut. */
async function way(): Promise<{ url: string; proxy: Way }> {
  const proxy = await startProxy(Number(new URL(server.url).port));
  onTestFinished(() => proxy.close());
  return { url: `http://127.0.0.1:${proxy.port}`, proxy };
}

describe('after an absence', () => {
  it('each message arrives once, in order, by the events of the contract', async () => {
    const [a, b] = await pair();
    const { url, proxy } = await way();
    const ann = await openReady(url, a);
    const told = record(ann);
    const ben = await device(server.url, b);
    const { message: first } = await ben.ok('message:send', { recipient_id: a.id, content: 'one' });
    await expect.poll(() => told).toEqual(['new one']);
    proxy.cut();
    await expect.poll(() => ann.state).toBe('offline');
    await expect(ann.call('group:list')).rejects.toMatchObject({ code: 'unavailable' });
    await ben.ok('message:send', { recipient_id: a.id, content: 'two' });
    await ben.ok('message:edit', { message_id: first._id, content: 'ONE' });
    await ben.ok('message:send', { recipient_id: a.id, content: 'three' });
    proxy.pass();
    await expect.poll(() => told).toHaveLength(4);
    await ready(ann);
    await ben.ok('message:send', { recipient_id: a.id, content: 'four' });
    await expect.poll(() => told).toHaveLength(5);
    expect(told).toEqual(['new one', 'new two missed', 'updated ONE missed', 'new three missed', 'new four']);
    expect(shownBy(ann, { recipient_id: b.id })).toEqual(['ONE', 'two', 'three', 'four']);
    expect(ann.conversations.get()[0]).toMatchObject({ unread_count: 4, last_seq: 4 });
    ben.close();
  });

  it('a conversation that came into being meanwhile is told whole', async () => {
    const [a, b] = await pair();
    const { url, proxy } = await way();
    const ann = await openReady(url, a, { newest: 2 });
    const told = record(ann);
    proxy.cut();
    await expect.poll(() => ann.state).toBe('offline');
    const ben = await device(server.url, b);
    for (const content of ['1', '2', '3', '4']) await ben.ok('message:send', { recipient_id: a.id, content });
    proxy.pass();
    await expect.poll(() => told).toEqual(['1', '2', '3', '4'].map((content) => `new ${content} missed`));
    ben.close();
  });
});

describe('the outbox', () => {
  it('keeps what is sent without a connection, in order, and sends it once', async () => {
    const [a, b] = await pair();
    const { url, proxy } = await way();
    const ann = await openReady(url, a);
    proxy.cut();
    await expect.poll(() => ann.state).toBe('offline');
    const target = { recipient_id: b.id };
    for (const content of ['1', '2', '3']) ann.send(target, { content });
    expect(shownBy(ann, target)).toEqual(['1 sending', '2 sending', '3 sending']);
    proxy.pass();
    await expect.poll(() => shownBy(ann, target)).toEqual(['1 sent', '2 sent', '3 sent']);
  });

  it('outlives the client: what it shows and what waits is there without a connection', async () => {
    const [a, b] = await pair();
    const { url, proxy } = await way();
    const storage = memory();
    const target = { recipient_id: b.id };
    const ann = await openReady(url, a, { storage });
    ann.send(target, { content: 'there' });
    await expect.poll(() => shownBy(ann, target)).toEqual(['there sent']);
    await expect.poll(() => ann.conversations.get().length).toBe(1);
    proxy.cut();
    await expect.poll(() => ann.state).toBe('offline');
    ann.send(target, { content: 'waits' });
    await ann.close();
    const ben = await device(server.url, b);
    const again = open(url, a, { storage });
    await expect.poll(() => shownBy(again, target)).toEqual(['there sent', 'waits sending']);
    expect(again.conversations.get()).toHaveLength(1);
    expect(again.me.get()?._id).toBe(a.id);
    const told = record(again);
    await ben.ok('message:send', { recipient_id: a.id, content: 'missed' });
    proxy.pass();
    await expect.poll(() => told).toEqual(['new missed missed']);
    await expect.poll(() => [...shownBy(again, target)].sort()).toEqual(['missed', 'there sent', 'waits sent']);
    ben.close();
  });

  it('shows what is refused as failed, to be tried again or let go', async () => {
    const [a, b] = await pair();
    const ann = await openReady(server.url, a);
    const target = { recipient_id: b.id };
    const pending = ann.send(target, { content: '' });
    await expect.poll(() => shownBy(ann, target)).toEqual([' failed']);
    expect(ann.messages(target).get().messages[0]!.error).toMatchObject({ code: 'validation_failed' });
    ann.retry(pending._id);
    expect(shownBy(ann, target)).toEqual([' sending']);
    await expect.poll(() => shownBy(ann, target)).toEqual([' failed']);
    ann.send(target, { content: 'next' });
    await expect.poll(() => shownBy(ann, target)).toContain('next sent');
    ann.discard(pending._id);
    expect(shownBy(ann, target)).toEqual(['next sent']);
  });

  it("belongs to its user: another's token neither shows nor sends it", async () => {
    const [a, b] = await pair();
    const { url, proxy } = await way();
    proxy.cut();
    const storage = memory();
    const target = { recipient_id: b.id };
    const ann = open(url, a, { storage });
    ann.send(target, { content: "ann's" });
    await ann.close();
    const [eve] = (await registerMany(server.url, 1)) as [Account];
    const other = open(url, eve, { storage });
    proxy.pass();
    await ready(other);
    expect(shownBy(other, target)).toEqual([]);
    await other.close();
    const back = open(url, a, { storage });
    await expect.poll(() => shownBy(back, target)).toEqual(["ann's sent"]);
  });

  it.each(['memory', 'folder'])('is sent by one of two clients on one storage (%s), and seen by both', async (kind) => {
    const [a, b] = await pair();
    const { url, proxy } = await way();
    const directory = await mkdtemp(path.join(tmpdir(), 'letsapp-client-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const storage = kind === 'memory' ? memory() : folder(directory);
    const target = { recipient_id: b.id };
    const one = await openReady(url, a, { storage });
    const two = await openReady(url, a, { storage });
    proxy.cut();
    await expect.poll(() => [one.state, two.state]).toEqual(['offline', 'offline']);
    one.send(target, { content: 'one' });
    two.send(target, { content: 'two' });
    for (const client of [one, two]) {
      await expect.poll(() => [...shownBy(client, target)].sort()).toEqual(['one sending', 'two sending']);
    }
    proxy.pass();
    for (const client of [one, two]) {
      await expect.poll(() => [...shownBy(client, target)].sort()).toEqual(['one sent', 'two sent']);
    }
    // Whoever is left sends.
    await one.close();
    two.send(target, { content: 'three' });
    await expect.poll(() => shownBy(two, target)).toContain('three sent');
  });
});

describe('a storage that fails', () => {
  it('is warned of, and loses no send', async () => {
    const [a, b] = await pair();
    const full: Storage = {
      ...memory(),
      set: async () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    };
    const ann = open(server.url, a, { storage: full });
    const warnings: string[] = [];
    ann.on('warning', ({ code }) => warnings.push(code));
    ann.send({ recipient_id: b.id }, { content: 'all the same' });
    await expect.poll(() => shownBy(ann, { recipient_id: b.id })).toEqual(['all the same sent']);
    expect(warnings).toContain('storage_failed');
  });

  it('is read as far as it is whole, and the rest is fetched', async () => {
    const [a, b] = await pair();
    const storage = memory();
    const ann = await openReady(server.url, a, { storage });
    const target = { recipient_id: b.id };
    ann.send(target, { content: 'kept' });
    await expect.poll(() => shownBy(ann, target)).toEqual(['kept sent']);
    await expect.poll(() => ann.conversations.get().length).toBe(1);
    await ann.close();
    for (const key of await storage.keys('')) {
      const text = await storage.get(key);
      if (key.includes('conversation/')) await storage.set(key, text!.slice(0, text!.length / 2));
    }
    const again = open(server.url, a, { storage });
    const warnings: string[] = [];
    again.on('warning', ({ code }) => warnings.push(code));
    const told = record(again);
    await ready(again);
    expect(warnings).toEqual(['storage_damaged']);
    expect(shownBy(again, target)).toEqual(['kept sent']);
    expect(told).toEqual([]);
  });
});

describe('a session', () => {
  it('that ends closes the client, which says why', async () => {
    const [a] = await pair();
    const ann = await openReady(server.url, a);
    const errors: string[] = [];
    ann.on('error', ({ code }) => errors.push(code));
    await fetch(`${server.url}/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${a.access_token}` },
    });
    await expect.poll(() => ann.state).toBe('closed');
    expect(ann.error).toMatchObject({ code: 'unauthenticated' });
    expect(errors).toEqual(['unauthenticated']);
  });

  it('refuses an address with a path', () => {
    const connecting = () => open(`${server.url}/chat`, { access_token: '' });
    expect(connecting).toThrow(TypeError);
    expect(connecting).toThrow(/path/);
  });
});

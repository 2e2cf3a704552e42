import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient, ObjectId } from 'mongodb';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { collections } from '../../server/model/collections.ts';
import { watchWebhooks } from '../../server/outbox/webhook-list.ts';
import { startDatabase } from '../support/database.ts';

/** A list in a database of its own, whose node is alone or not. */
async function watched(isAlone: boolean) {
  const database = await startDatabase();
  const client = await MongoClient.connect(database.url, { monitorCommands: true });
  const stored = collections(client.db());
  const list = await watchWebhooks({
    collections: stored,
    neighbours: { isAlone: () => isAlone },
    log: pino({ enabled: false }),
  });
  onTestFinished(async () => {
    list.close();
    await client.close();
    await database.stop();
  });
  const addElsewhere = () =>
    stored.webhooks.insertOne({
      _id: new ObjectId(),
      feed_id: new ObjectId(),
      name: 'orders',
      url: 'https://example.org/',
      types: ['message.new'],
      secret: 'encrypted',
      created_at: new Date(),
      since: new Date(),
      version: 1,
    });
  return { list, client, addElsewhere };
}

it('finds what another node has added', async () => {
  const { list, addElsewhere } = await watched(false);
  expect(list.mayExist()).toBe(false);
  await addElsewhere();
  await expect.poll(() => list.all().length).toBe(1);
  expect(list.mayExist()).toBe(true);
});

it('does not ask again and again while no other node lives, and still relies on what it knows', async () => {
  const { list, client } = await watched(true);
  let asked = 0;
  client.on('commandStarted', () => asked++);
  await sleep(3000);
  expect(asked).toBe(0);
  expect(list.mayExist()).toBe(false);
});

it('relies on nothing after a look that failed', async () => {
  const { list, client } = await watched(true);
  await client.close();
  await expect(list.look()).rejects.toThrow();
  expect(list.mayExist()).toBe(true);
});

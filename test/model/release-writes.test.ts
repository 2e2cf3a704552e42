import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import '../../server/model/release-writes.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
const sockets: Socket[] = [];
const note = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);

beforeAll(async () => {
  database = await startDatabase();
  subscribe('net.client.socket', note);
});

afterAll(async () => {
  unsubscribe('net.client.socket', note);
  await database.stop();
});

it('a command on a connection that was just lost fails at once, and the next one gets another connection', async () => {
  const client = await MongoClient.connect(database.url, { serverSelectionTimeoutMS: 5000 });
  const db = client.db();
  await db.command({ ping: 1 });
  for (const socket of sockets) socket.destroy();
  // In the same event loop turn: nothing has noticed yet that the sockets are gone.
  const lost = db.command({ ping: 1 });
  await expect(lost).rejects.toThrow(/closed/);
  expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  await client.close();
});

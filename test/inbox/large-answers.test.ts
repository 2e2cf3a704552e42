import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test('an answer of more than a mebibyte reaches a client that reads', async () => {
  const [sender, reader] = [await register(server.url), await register(server.url)];
  const a = await connect(server.url, sender);
  const content = 'x'.repeat(16 * 1024);
  for (let i = 0; i < 100; i++) await a.ok('message:send', { recipient_id: reader.id, content });
  const b = await connect(server.url, reader);
  const { messages } = await b.ok('message:history', { recipient_id: sender.id, limit: 200 });
  expect(messages).toHaveLength(100);
  expect((await b.ok('conversation:list')).conversations).toHaveLength(1);
});

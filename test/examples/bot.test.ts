/** The bot of docs/bots.md, run as it stands there. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { connect, http, register } from '../support/client.ts';
import { freePort } from '../support/redis.ts';
import { startServerForTest } from '../support/server.ts';
import { API_KEY, WEBHOOK_ENV } from '../webhooks/receiver.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

async function startBot(url: string): Promise<void> {
  const [, code] = /```js\n([^`]*(?:`[^`]+`[^`]*)*?)```/.exec(readFileSync(`${ROOT}/docs/bots.md`, 'utf8'))!;
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-bot-'));
  await symlink(`${ROOT}/node_modules`, `${folder}/node_modules`);
  await writeFile(`${folder}/bot.mjs`, code!);
  const PORT = String(await freePort());
  const bot = spawn(process.execPath, ['bot.mjs'], {
    cwd: folder,
    env: { ...process.env, CHAT_URL: url, SERVER_KEY: API_KEY, BOT_URL: `http://127.0.0.1:${PORT}/`, PORT },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    bot.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve, reject) => {
    bot.stdout.once('data', () => resolve());
    bot.once('exit', (code) => reject(new Error(`the bot ended with ${code}`)));
  });
}

it('answers who mentions it, and who writes to it alone', async () => {
  const server = await startServerForTest({ env: WEBHOOK_ENV });
  await startBot(server.url);
  const { user } = (await http(server.url, 'GET', '/server/users?username=helper', { token: API_KEY })).json;
  expect(user.is_bot).toBe(true);
  const ann = await connect(server.url, await register(server.url));
  const { group } = await ann.ok('group:create', { name: 'Crew', member_ids: [user._id] });
  const answerTo = (content: string) =>
    ann.next(
      'message:new',
      ({ message }) => message.sender_id === user._id && message.content === `You said: ${content}`,
    );
  await ann.ok('message:send', { group_id: group._id, content: 'not for you' });
  const mentioned = await ann.ok('message:send', {
    group_id: group._id,
    content: 'hello',
    mentions: { user_ids: [user._id] },
  });
  expect((await answerTo('hello')).message).toMatchObject({ group_id: group._id, reply_to: mentioned.message._id });
  await ann.ok('message:send', { recipient_id: user._id, content: 'psst' });
  await answerTo('psst');
  const { messages } = await ann.ok('message:history', { group_id: group._id });
  expect(messages.map(({ content }) => content)).toEqual(['not for you', 'hello', 'You said: hello']);
  ann.close();
});

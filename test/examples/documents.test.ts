/** The samples of README.md, docs/start.md and docs/webhooks.md, as they stand there, on one server. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { connect, type Device, register } from '../support/client.ts';
import { freePort } from '../support/redis.ts';
import { sampleOf } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { API_KEY, WEBHOOK_ENV } from '../webhooks/receiver.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

let server: TestServer;
let folder: string;
let ann: Device;
let ben: Device;
beforeAll(async () => {
  server = await startServer({ env: WEBHOOK_ENV });
  // Below the project, where the packages are found.
  mkdirSync(path.join(ROOT, 'dist'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, 'dist/samples-'));
  const accounts = [await register(server.url), await register(server.url)] as const;
  ann = await connect(server.url, accounts[0]);
  ben = await connect(server.url, accounts[1]);
});
afterAll(async () => {
  ann?.close();
  ben?.close();
  rmSync(folder, { recursive: true, force: true });
  await server?.stop();
});

/** Runs commands of a shell. @returns what they print */
async function shell(commands: string, env: Record<string, string> = {}): Promise<string> {
  const run = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], { env: { ...process.env, ...env } });
  return (await run).stdout;
}

/** Runs a module until the test is over. @param given the constants that the sample takes for granted */
async function start(name: string, code: string, given: Record<string, string>, env: Record<string, string> = {}) {
  const constants = Object.entries(given).map(([key, value]) => `const ${key} = ${JSON.stringify(value)};`);
  const outfile = path.join(folder, `${name}.mjs`);
  await build({
    stdin: { contents: `${constants.join('\n')}\n${code}`, resolveDir: ROOT, loader: 'ts' },
    alias: { 'letsapp-client': `${ROOT}/shared/client` },
    external: ['socket.io-client', 'tus-js-client', 'standardwebhooks'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
  });
  const child = spawn(process.execPath, [outfile], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  return () => printed;
}

const given = () => ({
  access_token: ann.account.access_token,
  accessToken: ann.account.access_token,
  recipient_id: ben.id,
});
const got = (content: string) => ben.next('message:new', ({ message }) => message.content === content);

it('README.md: an account by hand, a message by the client, and one over HTTP', async () => {
  const { host } = new URL(server.url);
  const registered = await shell(sampleOf('README.md', '/auth/register', { 'localhost:3000': host }));
  expect(JSON.parse(registered)).toMatchObject({ user: { username: 'ann' }, access_token: expect.any(String) });

  ben.clear();
  await start('readme', sampleOf('README.md', 'letsapp-client', { 'http://127.0.0.1:3000': server.url }), given());
  await got('hello');
  const { access_token: ACCESS_TOKEN } = ann.account;
  const replaced = { 'localhost:3000': host, '"recipient_id":"…"': `"recipient_id":"${ben.id}"` };
  const answer = await shell(sampleOf('README.md', 'message/send', replaced), { ACCESS_TOKEN });
  expect(JSON.parse(answer)).toMatchObject({ data: { message: { content: 'hello' } } });
});

it('docs/start.md: two accounts, a message, and listening', async () => {
  const names = { 'http://127.0.0.1:3000': server.url, 'in ann bob': 'in ann-too bob-too' };
  const registered = await shell(sampleOf('docs/start.md', '/auth/register', names));
  expect(registered.match(/"access_token"/g)).toHaveLength(2);

  const replaced = { '"recipient_id":"…"': `"recipient_id":"${ben.id}"` };
  const { access_token: ACCESS_TOKEN } = ann.account;
  const sending = sampleOf('docs/start.md', 'api/message/send -H', replaced);
  const [first, again] = [
    await shell(sending, { ACCESS_TOKEN, URL: server.url }),
    await shell(sending, { ACCESS_TOKEN, URL: server.url }),
  ];
  expect(JSON.parse(again).data).toMatchObject({
    duplicate: true,
    message: { _id: JSON.parse(first).data.message._id },
  });

  ben.clear();
  const listening = sampleOf('docs/start.md', 'socket.io-client', { 'http://127.0.0.1:3000': server.url });
  const printed = await start('start', listening, given());
  await got('hello');
  expect(printed()).toContain(`signed in as ${ann.account.username}`);
  await ben.ok('message:send', { recipient_id: ann.id, content: 'heard you' });
  await expect.poll(printed).toContain('heard you');
});

it('docs/webhooks.md: a webhook, its receiver, and a replay', async () => {
  const port = await freePort();
  const addresses = { 'https://chat.example.org': server.url };
  const making = sampleOf('docs/webhooks.md', 'message.new', {
    ...addresses,
    'https://example.org/hooks/chat': `http://127.0.0.1:${port}/`,
  });
  const { secret } = JSON.parse(await shell(making, { API_KEY }));
  const taking = 'const take = async (id, { type, data }) => console.log(type, data.message.content);\n';
  const receiver = sampleOf('docs/webhooks.md', 'standardwebhooks', { '8080': String(port) });
  const printed = await start('receiver', taking + receiver, {}, { WEBHOOK_SECRET: secret });
  const { message } = await ann.ok('message:send', { recipient_id: ben.id, content: 'to the back end' });
  await expect.poll(printed).toContain('message.new to the back end');
  const forged = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' });
  expect(forged.status).toBe(401);

  const replay = sampleOf('docs/webhooks.md', '/replay', { ...addresses, '"…"': `"${message.conversation_id}"` });
  await shell(replay, { API_KEY });
  await expect.poll(() => printed().match(/to the back end/g)).toHaveLength(2);
});

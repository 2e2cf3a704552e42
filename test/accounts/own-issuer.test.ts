/** The back end of docs/identity.md, as it stands there, with the settings that stand below it. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { http } from '../support/client.ts';
import { startServerForTest } from '../support/server.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

it('takes the tokens that the back end of the documents issues', async () => {
  const document = await readFile(path.join(ROOT, 'docs/identity.md'), 'utf8');
  const [, program, settings] = /```js\n(.*?)```\n\n```\n(.*?)```/s.exec(document)!;
  const backEnd = spawn(process.execPath, ['--input-type=module', '-e', program!], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void backEnd.kill('SIGKILL'));
  const port = await new Promise<string>((resolve) => {
    backEnd.stdout.on('data', (line: Buffer) => resolve(/listening on (\d+)/.exec(line.toString())![1]!));
  });
  const env = Object.fromEntries(
    settings!
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
  env.AUTH_JWKS_URL = env.AUTH_JWKS_URL!.replace('4000', port);
  const { url } = await startServerForTest({ env });

  const askForToken = (authorization: string) => fetch(`http://127.0.0.1:${port}/`, { headers: { authorization } });
  expect((await askForToken('a guess')).status).toBe(401);
  const token = await (await askForToken('secret-of-ann')).text();
  const { status, json } = await http(url, 'GET', '/users/me', { token });
  expect(status).toBe(200);
  expect(json.user).toMatchObject({ username: 'ann', full_name: 'Ann Example' });
});

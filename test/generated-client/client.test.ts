import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, it, onTestFinished } from 'vitest';
import { connect, http, registerMany } from '../support/client.ts';
import { sampleOf } from '../support/samples.ts';
import { sharedServer } from '../support/server.ts';

const HERE = import.meta.dirname;
const TSC = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const run = promisify(execFile);

it('types generated from /openapi.json compile strictly, and calls by them work', { timeout: 240_000 }, async () => {
  const server = await sharedServer();
  const { json } = await http(server.url, 'GET', '/openapi.json');
  // Beside the sample, so that it finds its packages.
  const folder = await mkdtemp(path.join(HERE, 'data-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, 'api.ts'), astToString(await openapiTS(json)));
  await copyFile(path.join(HERE, 'sample.ts'), path.join(folder, 'sample.ts'));
  const guide = sampleOf('docs/start.md', 'openapi-fetch', { "'http://127.0.0.1:3000'": 'process.argv[2]!' });
  const given = 'const [accessToken, recipient_id] = process.argv.slice(3) as [string, string];';
  await writeFile(path.join(folder, 'guide.ts'), `${given}\n${guide}if (!data) throw error;\n`);

  const options = [
    '--rewriteRelativeImportExtensions',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--skipLibCheck',
  ];
  const target = ['--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', '--types', 'node'];
  const sources = ['sample.ts', 'guide.ts', 'api.ts'];
  const compiled = run(process.execPath, [TSC, ...options, ...target, ...sources], { cwd: folder });
  await compiled.catch((error: { stdout: string }) => expect(error.stdout).toBe(''));

  const { stdout } = await run(process.execPath, ['sample.js', server.url], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({
    seq: 1,
    last: 'From a generated client',
    filename: 'note.txt',
    text: 'From a generated client',
    code: 'validation_failed',
    status: 400,
    unknown: false,
  });

  const [ann, ben] = await registerMany(server.url, 2);
  const device = await connect(server.url, ben!);
  await run(process.execPath, ['guide.js', server.url, ann!.access_token, ben!.id], { cwd: folder });
  await device.next('message:new', ({ message }) => message.content === 'hello');
  device.close();
});

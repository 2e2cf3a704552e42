/** Both packages as an app gets them: packed, and installed into an empty project. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleOf } from '../support/samples.ts';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
const TSC = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
/** Building, packing and installing takes its time on a busy machine. */
const PATIENT_MS = 600_000;
const CORE_BYTES = 25 * 1024;

let folder: string;
let project: string;
let tarballs: { letsapp: string; client: string };
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-packages-'));
  project = path.join(folder, 'project');
  await run('npm', ['run', '--silent', 'build:packages'], { cwd: ROOT });
  const pack = async (cwd: string) => {
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd });
    return path.join(folder, stdout.trim());
  };
  tarballs = { letsapp: await pack(ROOT), client: await pack(path.join(ROOT, 'shared/client')) };
  await mkdir(project);
  await writeFile(path.join(project, 'package.json'), '{ "type": "module", "private": true }');
  const types = ['react', '@types/react'].map((name) => `${name}@19`);
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...Object.values(tarballs), ...types], {
    cwd: project,
  });
  await copyFile(path.join(import.meta.dirname, 'sample.ts'), path.join(project, 'sample.ts'));
}, PATIENT_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packages', () => {
  it(
    'run in a project of their own, as JavaScript',
    async () => {
      await build({
        entryPoints: [path.join(project, 'sample.ts')],
        outfile: path.join(project, 'sample.js'),
        format: 'esm',
      });
      const { stdout } = await run(process.execPath, ['sample.js'], { cwd: project });
      const { readyMs, ...rest } = JSON.parse(stdout);
      expect(readyMs).toBeGreaterThan(0);
      expect(rest).toEqual({
        told: ['hello false', 'hi false'],
        groups: [],
        code: 'not_found',
        shown: ['hello', 'hi'],
        kinds: Array(10).fill('function'),
        schema: expect.arrayContaining(['type', 'properties']),
        documents: true,
        payload: { group_id: 'x', up_to_seq: 3 },
      });
    },
    PATIENT_MS,
  );

  it(
    'are used as their guide says',
    async () => {
      const testing = sampleOf('shared/client/README.md', 'startLetsApp', { 'await server.stop();': '' });
      await writeFile(
        path.join(project, 'testing.js'),
        `${testing}
         await new Promise((resolve) => client.on('state', (state) => state === 'ready' && resolve()));
         await client.call('group:list');
         console.log(ann.user.username);
         await server.stop();`,
      );
      expect((await run(process.execPath, ['testing.js'], { cwd: project })).stdout).toBe('ann\n');

      const plain = sampleOf('shared/client/README.md', 'account.register', {
        "'http://127.0.0.1:3000'": 'server.url',
        "'0123456789abcdef01234567'": 'ben.user._id',
      });
      await writeFile(
        path.join(project, 'plain.js'),
        `import { startLetsApp } from 'letsapp/testing';
         const server = await startLetsApp();
         const ben = await server.users.create('ben');
         ${plain}
         while (messages.get().messages[0]?.state !== 'sent') await new Promise((resolve) => setTimeout(resolve, 20));
         await client.close();
         await server.stop();`,
      );
      const { stdout } = await run(process.execPath, ['plain.js'], { cwd: project });
      expect(stdout).toMatch(/syncing\n(.*\n)*ready\n(.*\n)*closed\n/);
    },
    PATIENT_MS,
  );

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'are typed for strict TypeScript with module %s',
    async (module, moduleResolution) => {
      const compilerOptions = {
        strict: true,
        module,
        moduleResolution,
        target: 'es2022',
        noEmit: true,
        skipLibCheck: false,
      };
      const config = `tsconfig.${module}.json`;
      await writeFile(
        path.join(project, config),
        JSON.stringify({ compilerOptions: { ...compilerOptions, types: [] }, files: ['sample.ts', 'console.d.ts'] }),
      );
      // Neither Node's types nor a browser's are asked of an app; the sample uses these.
      await writeFile(
        path.join(project, 'console.d.ts'),
        '/// <reference lib="dom" />\ndeclare const process: { exit(code: number): never };\n',
      );
      await run(process.execPath, [TSC, '-p', config], { cwd: project });
    },
    PATIENT_MS,
  );

  it('need no package of ours but the client, and carry the same version', async () => {
    const manifest = async (name: string) =>
      JSON.parse(await readFile(path.join(project, 'node_modules', name, 'package.json'), 'utf8'));
    const [server, client] = await Promise.all(['letsapp', 'letsapp-client'].map(manifest));
    expect(client.version).toBe(server.version);
    expect(Object.keys(server.dependencies).filter((name) => name.startsWith('letsapp'))).toEqual([]);
    expect(Object.keys(client.dependencies).sort()).toEqual(['socket.io-client', 'tus-js-client']);
  });

  it(
    'start the server by its command, and tell its version and its variables',
    async () => {
      const command = path.join(project, 'node_modules/.bin/letsapp');
      const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
      expect((await run(command, ['--version'])).stdout.trim()).toBe(version);
      expect((await run(command, ['--help'])).stdout).toContain('DATA_DIR');
      await expect(run(command, ['--halp'])).rejects.toMatchObject({ code: 2 });
      const env = { ...process.env, PORT: '0', DATA_DIR: path.join(folder, 'data') };
      const server = execFile(command, { env });
      const [line] = await new Promise<string[]>((resolve) =>
        server.stdout!.once('data', (text) => resolve([String(text)])),
      );
      expect(line).toContain('listening on http://');
      server.kill('SIGTERM');
      await new Promise((resolve) => server.once('exit', resolve));
    },
    PATIENT_MS,
  );

  it.each(['letsapp', 'client'] as const)(
    'resolve as they should (%s)',
    async (name) => {
      const data = await readFile(tarballs[name]);
      const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
      const { messages } = await publint({ pack: { tarball: buffer }, level: 'warning' });
      expect(messages).toEqual([]);
      const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(buffer)));
      const problems = 'problems' in analysis ? analysis.problems : [];
      // Modules alone, for resolutions that know `exports`.
      const relevant = problems.filter(
        (problem) =>
          !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)) &&
          problem.kind !== 'CJSResolvesToESM',
      );
      expect(relevant).toEqual([]);
    },
    PATIENT_MS,
  );

  it(
    'have a core of 25 KiB at most, gzipped, and take nothing along that an app does not use',
    async () => {
      const size = async (contents: string) => {
        const { outputFiles } = await build({
          stdin: { contents, resolveDir: project },
          bundle: true,
          minify: true,
          format: 'esm',
          external: ['socket.io-client', 'tus-js-client', 'react'],
          write: false,
        });
        return gzipSync(outputFiles[0]!.contents).length;
      };
      expect(await size("export * from 'letsapp-client'")).toBeLessThanOrEqual(CORE_BYTES);
      expect(await size("export { ClientError } from 'letsapp-client'")).toBeLessThan(1024);
      expect(await size("export { memory } from 'letsapp-client/storage'")).toBeLessThan(1024);
    },
    PATIENT_MS,
  );
});

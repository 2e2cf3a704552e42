/** Files of a build, served from a folder that changes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFolder } from '../../server/http/static-files.ts';

let folder: string;
let app: FastifyInstance;
const put = (name: string, content: string | Buffer) => writeFile(path.join(folder, name), content);
const get = (name: string, headers: Record<string, string> = {}) => app.inject({ url: `/${name}`, headers });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'letsapp-test-'));
  app = Fastify();
  const send = createFolder(pathToFileURL(`${folder}/`));
  app.get<{ Params: { '*': string } }>('/*', (request, reply) => send(request, reply, request.params['*']));
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

it('sends a file once: whoever has it is told so', async () => {
  await put('page.html', 'one');
  const first = await get('page.html');
  expect(first).toMatchObject({ statusCode: 200, body: 'one' });
  expect(first.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
  const again = await get('page.html', { 'if-none-match': String(first.headers.etag) });
  expect(again).toMatchObject({ statusCode: 304, body: '' });
});

it('sends what a later build has made, also to who has the earlier one', async () => {
  await put('again.html', 'earlier');
  const { headers } = await get('again.html');
  await put('again.html', 'later on');
  await put('app-0123ABCD.js', 'new');
  expect((await get('again.html', { 'if-none-match': String(headers.etag) })).body).toBe('later on');
  const script = await get('app-0123ABCD.js');
  expect(script.body).toBe('new');
  expect(script.headers['cache-control']).toContain('immutable');
});

it('sends the compressed form that lies beside a file to who takes it', async () => {
  await put('style.css', 'plain');
  await put('style.css.gz', gzipSync('plain'));
  expect((await get('style.css', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBe('gzip');
  expect((await get('style.css', { 'accept-encoding': 'gzip;q=0' })).body).toBe('plain');
  expect((await get('style.css')).headers['content-encoding']).toBeUndefined();
});

it('unpacks what lies there compressed alone for who does not take that', async () => {
  await put('only.json.gz', gzipSync('{}'));
  const answer = await get('only.json');
  expect(answer).toMatchObject({ statusCode: 200, body: '{}' });
  expect(answer.headers['content-encoding']).toBeUndefined();
  expect((await get('only.json', { 'if-none-match': String(answer.headers.etag) })).statusCode).toBe(304);
});

it.each(['nothing.html', 'page', 'page.exe', '../outside.html', '%2e%2e%2foutside.html', 'only.json.gz'])(
  'has no %s',
  async (name) => {
    expect((await get(name)).json()).toMatchObject({ code: 'not_found' });
  },
);

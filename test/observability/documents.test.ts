import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { RouteOptions } from 'fastify';
import Type from 'typebox';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeHttp } from '../../server/observability/openapi.ts';
import { commands, events } from '../../shared/contract/index.ts';
import { connect, http, register } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

/** What the linter and the parser take on a machine that does much else. */
const PATIENCE_MS = 240_000;
const PARSE = path.join(import.meta.dirname, 'parse-asyncapi.ts');
const REDOCLY = path.resolve(import.meta.dirname, '../../node_modules/@redocly/cli/bin/cli.js');

/** What Redocly's recommended rules say of a document. */
async function lint(document: unknown): Promise<{ errors: number; warnings: number; said: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-lint-'));
  try {
    const file = path.join(folder, 'openapi.json');
    await writeFile(file, JSON.stringify(document));
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const run = promisify(execFile)(
      process.execPath,
      [REDOCLY, 'lint', '--extends=recommended', '--format=json', file],
      {
        env,
      },
    );
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{')));
    return { errors: totals.errors, warnings: totals.warnings, said: JSON.stringify(problems) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the official parser says of a document. */
async function complaints(document: unknown): Promise<string[]> {
  const parsing = promisify(execFile)(process.execPath, ['--import', 'tsx', PARSE]);
  parsing.child.stdin!.end(JSON.stringify(document));
  return JSON.parse((await parsing).stdout);
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: Record<string, unknown>[];
  requestBody?: { content: Record<string, { schema?: object; example?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema?: object; example?: unknown }> }>;
}

async function operations(): Promise<[string, string, Operation][]> {
  const { paths } = (await http(server.url, 'GET', '/openapi.json')).json;
  return Object.entries(paths as Record<string, Record<string, Operation>>).flatMap(([url, item]) =>
    Object.entries(item).map(([method, operation]): [string, string, Operation] => [
      method.toUpperCase(),
      url,
      operation,
    ]),
  );
}

describe('/openapi.json', () => {
  it('passes the recommended rules without an error or a warning', { timeout: PATIENCE_MS }, async () => {
    const { status, json } = await http(server.url, 'GET', '/openapi.json');
    expect(status).toBe(200);
    expect(await lint(json)).toEqual({ errors: 0, warnings: 0, said: '[]' });
    // The linter does find what is wrong.
    delete json.paths['/healthz'].get.operationId;
    expect(await lint(json)).toMatchObject({ warnings: 1 });
  });

  it('names each operation once, and says what it does', async () => {
    const all = await operations();
    const ids = all.map(([, , { operationId }]) => operationId);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at || !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
    expect(ids).toEqual(
      expect.arrayContaining(['authRegister', 'messageSend', 'getMediaById', 'getMediaInfo', 'media']),
    );
    expect(all.filter(([method, url, { summary }]) => summary === `${method} ${url}`).map(([, url]) => url)).toEqual(
      [],
    );
  });

  it('has an example of each body and each answer in JSON', async () => {
    const without = (await operations()).flatMap(([method, url, { requestBody, responses }]) => {
      const contents = [
        requestBody,
        ...Object.entries(responses).flatMap(([status, answer]) => (status < '300' ? [answer] : [])),
      ];
      const isWithout = contents.some((part) => {
        const json = part?.content?.['application/json'];
        return json?.schema !== undefined && json.example === undefined;
      });
      return isWithout && !url.endsWith('api.json') ? [`${method} ${url}`] : [];
    });
    expect(without).toEqual([]);
  });

  it('says of each operation whether it asks who calls', async () => {
    for (const [method, url, { security }] of await operations()) {
      if (security.some((alternative) => Object.keys(alternative).length === 0)) continue;
      const { status } = await http(server.url, method, url.replaceAll(/\{\w+\}/g, 'f'.repeat(24)), {
        ...(method === 'POST' ? { body: {} } : {}),
      });
      expect([method, url, status === 401]).toEqual([method, url, security.length > 0]);
    }
  });

  it('lets server keys act for users, but not where a command belongs to a session', () => {
    const securityOf = (url: string) => {
      const route = { method: 'POST', url, onRequest: async () => {} } as unknown as RouteOptions;
      const { paths } = describeHttp([route]) as { paths: Record<string, { post: Operation }> };
      return paths[url]!.post.security.map((alternative) => Object.keys(alternative).join('+'));
    };
    expect(securityOf('/api/sync')).toEqual(['access_token', 'server_key+act_as']);
    expect(securityOf('/files')).toEqual(['access_token', 'server_key+act_as']);
    expect(securityOf('/server/users')).toEqual(['server_key']);
    expect(securityOf('/auth/logout')).toEqual(['access_token']);
    expect(securityOf('/api/push/list')).toEqual(['access_token']);
  });

  it('leaves out what serves pages, and describes bodies and answers that have no schema', () => {
    const routes = [
      { method: 'GET', url: '/*' },
      { method: 'GET', url: '/page', schema: { hide: true } },
      {
        method: 'POST',
        url: '/things',
        schema: { body: Type.Object({ of: Type.Record(Type.String(), Type.Integer()) }) },
      },
    ] as unknown as RouteOptions[];
    const { paths, components } = describeHttp(routes) as {
      paths: Record<string, { post: Operation }>;
      components: { schemas: Record<string, unknown> };
    };
    expect(Object.keys(paths)).toEqual(['/things']);
    expect(paths['/things']!.post.requestBody!.content['application/json']!.schema).toEqual({
      $ref: '#/components/schemas/ThingsBody',
    });
    expect(components.schemas.ThingsBody).toMatchObject({
      properties: { of: { type: 'object', additionalProperties: { type: 'integer' } } },
    });
  });

  it('comes compressed to those who take it, and not again to those who have it', async () => {
    const plain = await fetch(`${server.url}/openapi.json`, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const packed = await fetch(`${server.url}/openapi.json`, { headers: { 'accept-encoding': 'br;q=0, gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(await packed.text()).toBe(await plain.text());
    const etag = plain.headers.get('etag')!;
    const again = await fetch(`${server.url}/openapi.json`, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('lists every route of the contract and which ones need a session', async () => {
    const { paths, components } = (await http(server.url, 'GET', '/openapi.json')).json;
    const named = Object.entries(paths as Record<string, object>).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(named).toEqual(
      expect.arrayContaining([
        'POST /auth/register',
        'POST /auth/login',
        'POST /auth/refresh',
        'POST /auth/logout',
        'GET /auth/sessions',
        'DELETE /auth/sessions/{session_id}',
        'POST /auth/password/change',
        'POST /auth/password/forgot',
        'POST /auth/password/reset',
        'GET /users/me',
        'PATCH /users/me',
        'DELETE /users/me',
        'GET /.well-known/jwks.json',
        'POST /media',
        'GET /media/{id}',
        'GET /media/{id}/info',
        'GET /media/{id}/thumbnail',
        'POST /media/{id}/link',
        'DELETE /media/{id}',
        'POST /files',
        'GET /files/{id}',
        'GET /files/{id}/info',
        'POST /files/{id}/link',
        'DELETE /files/{id}',
        'GET /healthz',
        'GET /readyz',
        'GET /metrics',
      ]),
    );
    expect(paths['/auth/register'].post.security).toEqual([]);
    expect(paths['/users/me'].get.security).toEqual([{ access_token: [] }]);
    expect(paths['/auth/register'].post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/RegisterBody',
    });
    expect(components.schemas.RegisterBody.required).toEqual(expect.arrayContaining(['username', 'email', 'password']));
  });
});

describe('/asyncapi.json', () => {
  it('is taken by the official parser without an error or a warning', { timeout: PATIENCE_MS }, async () => {
    const { status, json } = await http(server.url, 'GET', '/asyncapi.json');
    expect(status).toBe(200);
    expect(await complaints(json)).toEqual([]);
    // The parser does find what is wrong; in a small document, because it computes for long.
    const { asyncapi, info, operations } = json;
    const torn = { asyncapi, info, operations: { sync: operations.sync } };
    expect(await complaints(torn)).toContainEqual(expect.stringContaining('#/channels/socket'));
  });

  it('has an example of each message', async () => {
    const { channels } = (await http(server.url, 'GET', '/asyncapi.json')).json;
    const messages = Object.entries(channels.socket.messages as Record<string, { examples: unknown[] }>);
    expect(messages.filter(([, { examples }]) => examples.length === 0)).toEqual([]);
    expect(
      channels.socket.messages['message:send.ack'].examples.map(({ payload }: { payload: object }) => payload),
    ).toEqual([
      { ok: true, data: commands['message:send'].example.data },
      { ok: false, error: expect.objectContaining({ code: 'validation_failed' }) },
    ]);
  });

  it('lists every command with its acknowledgement, and every event', async () => {
    const { operations, channels } = (await http(server.url, 'GET', '/asyncapi.json')).json;
    const names = [...Object.keys(commands), ...Object.keys(events).map((name) => `${name}.event`)];
    expect(Object.keys(operations).sort()).toEqual(names.sort());
    for (const name of Object.keys(commands)) {
      expect(operations[name].action).toBe('receive');
      expect(channels.socket.messages[`${name}.ack`].payload.oneOf).toHaveLength(2);
    }
    for (const name of Object.keys(events)) expect(operations[`${name}.event`].action).toBe('send');
  });
});

describe('the server', () => {
  it('has a handler for every command', async () => {
    const device = await connect(server.url, await register(server.url));
    for (const name of Object.keys(commands)) {
      const answer = await device.raw(name, { no_such_property: true });
      expect([name, answer.error?.code]).toEqual([name, 'validation_failed']);
    }
    device.close();
  });
});

import asyncApiSchema from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { commands, events } from '../../shared/contract/index.ts';
import { connect, http, register } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

describe('/openapi.json', () => {
  it('is valid OpenAPI', async () => {
    const { status, json } = await http(server.url, 'GET', '/openapi.json');
    expect(status).toBe(200);
    expect(await new Validator().validate(json)).toMatchObject({ valid: true });
  });

  it('lists every route of the contract and which ones need a session', async () => {
    const { paths } = (await http(server.url, 'GET', '/openapi.json')).json;
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
    expect(paths['/auth/register'].post.security).toBeUndefined();
    expect(paths['/users/me'].get.security).toEqual([{ bearer: [] }]);
    expect(paths['/auth/register'].post.requestBody.content['application/json'].schema.required).toEqual(
      expect.arrayContaining(['username', 'email', 'password']),
    );
  });
});

describe('/asyncapi.json', () => {
  it('is valid AsyncAPI', async () => {
    const { status, json } = await http(server.url, 'GET', '/asyncapi.json');
    expect(status).toBe(200);
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const { $schema: _, ...schema } = asyncApiSchema as Record<string, unknown>;
    const validate = ajv.compile(schema);
    validate(json);
    expect(validate.errors).toBeNull();
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

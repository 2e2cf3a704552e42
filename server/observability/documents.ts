/**
 * The published documents: OpenAPI 3.1 for HTTP and AsyncAPI 3.0 for the socket, derived from the declarations that
 * validate and dispatch, so that they cannot say anything else.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { TSchema } from 'typebox';
import type { CommandDeclaration, EventDeclaration } from '../../shared/contract/define.ts';
import { ERROR_STATUS } from '../../shared/contract/errors.ts';
import { commands, events } from '../../shared/contract/index.ts';
import { PROTOCOL_VERSION } from '../../shared/contract/session.ts';

const INFO = {
  title: 'LetsApp',
  version: `${PROTOCOL_VERSION}.0.0`,
  license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
};

const errorSchema = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'string', enum: Object.keys(ERROR_STATUS) },
    message: { type: 'string' },
    details: { description: 'For `validation_failed`: an array of `{ path, message }`.' },
  },
};

interface RouteSchema {
  summary?: string;
  description?: string;
  body?: TSchema;
  querystring?: TSchema & { properties?: Record<string, TSchema>; required?: string[] };
  params?: TSchema & { properties?: Record<string, TSchema> };
  response?: Record<string, TSchema>;
  /** Media types of a body that no schema describes. */
  consumes?: string[];
}

/**
 * Collects every route that is registered from now on, and serves `/openapi.json` and `/asyncapi.json`.
 * Must be called before the first route is registered.
 */
export function publishDocuments(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  let openApi: object | undefined;
  let asyncApi: object | undefined;
  app.get('/openapi.json', { schema: { summary: 'This document.' } }, async () => {
    openApi ??= describeHttp(routes);
    return openApi;
  });
  app.get('/asyncapi.json', { schema: { summary: 'The same for the socket.' } }, async () => {
    asyncApi ??= describeSocket();
    return asyncApi;
  });
}

/** A schema of the contract in the words of plain JSON Schema. */
export function toPlainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toPlainSchema);
  if (schema === null || typeof schema !== 'object') return schema;
  const { maxBytes, minBytes, ...rest } = schema as Record<string, unknown>;
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    plain[name] = name === 'format' && value === 'timestamp' ? 'date-time' : toPlainSchema(value);
  }
  if (typeof maxBytes === 'number') Object.assign(plain, { maxLength: maxBytes, 'x-max-bytes': maxBytes });
  if (typeof minBytes === 'number') plain['x-min-bytes'] = minBytes;
  return plain;
}

function describeHttp(routes: RouteOptions[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const url = route.url.replaceAll(/:(\w+)/g, '{$1}');
    for (const method of [route.method].flat()) {
      // Fastify answers HEAD wherever there is a GET.
      if (method === 'HEAD' && paths[url]?.get) continue;
      paths[url] = { ...paths[url], [method.toLowerCase()]: describeRoute(route, url, method) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { ...INFO, description: 'Accounts, uploads and operations. Everything else goes over the socket.' },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Error: { type: 'object', required: ['error'], properties: { error: errorSchema } } },
    },
  };
}

function describeRoute(route: RouteOptions, url: string, method: string): object {
  const schema = (route.schema ?? {}) as RouteSchema;
  const inPath = [...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: toPlainSchema(schema.params?.properties?.[name!] ?? { type: 'string' }),
  }));
  const inQuery = Object.entries(schema.querystring?.properties ?? {}).map(([name, part]) => ({
    name,
    in: 'query',
    required: schema.querystring?.required?.includes(name) ?? false,
    schema: toPlainSchema(part),
  }));
  const content = schema.body
    ? { 'application/json': { schema: toPlainSchema(schema.body) } }
    : Object.fromEntries((schema.consumes ?? []).map((type) => [type, {}]));
  const answers = Object.entries(schema.response ?? {}).map(([status, body]) => [
    status,
    { description: 'Success', content: { 'application/json': { schema: toPlainSchema(body) } } },
  ]);
  return {
    operationId: `${method} ${route.url}`,
    summary: schema.summary ?? `${method} ${route.url}`,
    ...(schema.description ? { description: schema.description } : {}),
    parameters: [...inPath, ...inQuery],
    ...(Object.keys(content).length > 0 ? { requestBody: { required: true, content } } : {}),
    responses: {
      ...(answers.length > 0 ? Object.fromEntries(answers) : { '2XX': { description: 'Success' } }),
      default: {
        description: 'Refused',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
    // Routes with a hook of their own before the body is read are those that need a session.
    ...(route.onRequest ? { security: [{ bearer: [] }] } : {}),
  };
}

/** The AsyncAPI document: what the server receives (commands, each with its acknowledgement) and sends (events). */
export function describeSocket(): object {
  const messages: Record<string, object> = {};
  const operations: Record<string, object> = {};
  const reference = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` });
  const channel = { $ref: '#/channels/socket' };
  for (const [name, declaration] of Object.entries<CommandDeclaration>(commands)) {
    messages[name] = { name, summary: declaration.summary, payload: toPlainSchema(declaration.payload) };
    messages[`${name}.ack`] = { name: `Acknowledgement of ${name}`, payload: acknowledgement(declaration.data) };
    operations[name] = {
      action: 'receive',
      summary: declaration.summary,
      channel,
      messages: [reference(name)],
      reply: { channel, messages: [reference(`${name}.ack`)] },
    };
  }
  for (const [name, declaration] of Object.entries<EventDeclaration>(events)) {
    // A name may be that of a command and of an event: `call:signal`.
    messages[`${name}.event`] = { name, summary: declaration.summary, payload: toPlainSchema(declaration.payload) };
    operations[`${name}.event`] = {
      action: 'send',
      summary: declaration.summary,
      channel,
      messages: [reference(`${name}.event`)],
    };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      ...INFO,
      description:
        'Socket.IO 4, default namespace. `auth: { token, device_info? }` at the handshake. Each message is a Socket.IO ' +
        'event by its name with one payload; commands are answered by their acknowledgement callback.',
    },
    defaultContentType: 'application/json',
    channels: { socket: { address: '/socket.io', title: 'The Socket.IO connection', messages } },
    operations,
  };
}

function acknowledgement(data: TSchema): object {
  return {
    oneOf: [
      { type: 'object', required: ['ok', 'data'], properties: { ok: { const: true }, data: toPlainSchema(data) } },
      { type: 'object', required: ['ok', 'error'], properties: { ok: { const: false }, error: errorSchema } },
    ],
  };
}

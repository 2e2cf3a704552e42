/** OpenAPI 3.1 for HTTP, derived from the registered routes. */
import type { RouteOptions } from 'fastify';
import type { TSchema } from 'typebox';
import { ERROR_SCHEMA, INFO, toPlainSchema } from './document-parts.ts';

/** The parts of a route's schema that the document uses. */
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

/** @returns the document of all routes */
export function describeHttp(routes: RouteOptions[]): object {
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
    info: {
      ...INFO,
      description: 'Accounts, uploads, commands and operations. Events arrive over the socket: see /asyncapi.json.',
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Error: { type: 'object', required: ['error'], properties: { error: ERROR_SCHEMA } } },
    },
  };
}

function describeRoute(route: RouteOptions, url: string, method: string): object {
  const schema = (route.schema ?? {}) as RouteSchema;
  const content = describeBody(schema);
  return {
    operationId: `${method} ${route.url}`,
    summary: schema.summary ?? `${method} ${route.url}`,
    ...(schema.description ? { description: schema.description } : {}),
    parameters: [...describePath(schema, url), ...describeQuery(schema)],
    ...(Object.keys(content).length > 0 ? { requestBody: { required: true, content } } : {}),
    responses: describeAnswers(schema),
    // Routes that authenticate do so in a hook of their own, before the body is read.
    ...(route.onRequest ? { security: [{ bearer: [] }] } : {}),
  };
}

function describePath({ params }: RouteSchema, url: string): object[] {
  return [...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: toPlainSchema(params?.properties?.[name!] ?? { type: 'string' }),
  }));
}

function describeQuery({ querystring }: RouteSchema): object[] {
  return Object.entries(querystring?.properties ?? {}).map(([name, part]) => ({
    name,
    in: 'query',
    required: querystring?.required?.includes(name) ?? false,
    schema: toPlainSchema(part),
  }));
}

function describeBody({ body, consumes = [] }: RouteSchema): Record<string, object> {
  if (body) return jsonContent(toPlainSchema(body));
  return Object.fromEntries(consumes.map((type) => [type, {}]));
}

function describeAnswers({ response = {} }: RouteSchema): Record<string, object> {
  const successes = Object.entries(response).map(([status, body]) => [
    status,
    { description: 'Success', content: jsonContent(toPlainSchema(body)) },
  ]);
  return {
    ...(successes.length > 0 ? Object.fromEntries(successes) : { '2XX': { description: 'Success' } }),
    default: { description: 'Refused', content: jsonContent({ $ref: '#/components/schemas/Error' }) },
  };
}

function jsonContent(schema: unknown): Record<string, object> {
  return { 'application/json': { schema } };
}

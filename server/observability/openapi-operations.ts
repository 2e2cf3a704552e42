/** One route as an operation of the OpenAPI document. */
import type { RouteOptions } from 'fastify';
import type { TSchema } from 'typebox';
import type { ErrorCode } from '../../shared/contract/errors.ts';
import { type Schemas, typeName } from './document-schemas.ts';
import { json, refusals, successes } from './openapi-answers.ts';
import type { Security } from './openapi-security.ts';
import { tagOf } from './openapi-tags.ts';

/** The parts of a route's schema that the document uses (`FastifySchema` in server/http/server.ts). */
interface RouteSchema {
  summary?: string;
  description?: string;
  body?: TSchema;
  querystring?: TSchema & { properties?: Record<string, TSchema>; required?: string[] };
  params?: TSchema & { properties?: Record<string, TSchema> };
  response?: Record<string, TSchema>;
  consumes?: string[];
  errors?: readonly ErrorCode[];
  example?: { body?: unknown; answer?: unknown };
}

interface Described {
  route: RouteOptions;
  /** With parameters in braces. */
  url: string;
  method: string;
  security: Security;
  schemas: Schemas;
}

const FILE_FORM = {
  schema: {
    type: 'object',
    required: ['file'],
    properties: { file: { description: 'With a file name.', contentMediaType: 'application/octet-stream' } },
  },
};

export function describeOperation({ route, url, method, security, schemas }: Described): object {
  const schema = (route.schema ?? {}) as RouteSchema;
  const operationId = operationIdOf(method, url);
  const content = describeBody(schema, typeName(operationId), schemas);
  const takesInput = schema.params || schema.querystring || content;
  const codes: ErrorCode[] = [
    // Of pages elsewhere (PROTOCOL section 3).
    'forbidden',
    ...(security.length > 0 ? (['unauthenticated'] as const) : []),
    ...(content ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
    ...(schema.errors ?? (takesInput ? (['not_found'] as const) : [])),
  ];
  return {
    operationId,
    tags: [tagOf(url)],
    summary: schema.summary ?? `${method} ${url}`,
    ...(schema.description ? { description: schema.description } : {}),
    parameters: [...describePath(schema, url, schemas), ...describeQuery(schema, schemas)],
    ...(content ? { requestBody: { required: true, content } } : {}),
    responses: {
      ...refusals(codes),
      ...successes(
        schema.response ?? {},
        (answer, status) => named(answer, `${typeName(operationId)}Answer${status < '300' ? '' : status}`, schemas),
        schema.example?.answer,
      ),
    },
    security,
  };
}

/** `POST /api/message/send` is `messageSend`, `GET /media/{id}` is `getMediaById`. */
function operationIdOf(method: string, url: string): string {
  const words = url.replace(/^\/api\//, '/').replaceAll(/\{(\w+)\}$/g, 'by_$1');
  const name = typeName(words.replaceAll(/\{\w+\}/g, '').replaceAll('_', '-'));
  const isPlain = method === 'POST' && !/\{\w+\}/.test(url);
  return isPlain ? name[0]!.toLowerCase() + name.slice(1) : method.toLowerCase() + name;
}

/** A reference to the schema, whether it has a name already or gets this one. */
function named(schema: TSchema, name: string, schemas: Schemas): unknown {
  const described = schemas.describe(schema);
  return Object.hasOwn(described as object, '$ref') ? described : schemas.named(name, schema);
}

function describeBody(schema: RouteSchema, name: string, schemas: Schemas): Record<string, object> | undefined {
  const { body, consumes, example } = schema;
  if (body) return json(named(body, `${name}Body`, schemas), example?.body);
  return (
    consumes && Object.fromEntries(consumes.map((type) => [type, type === 'multipart/form-data' ? FILE_FORM : {}]))
  );
}

function describePath({ params }: RouteSchema, url: string, schemas: Schemas): object[] {
  return [...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.describe(params?.properties?.[name!] ?? { type: 'string' }),
  }));
}

function describeQuery({ querystring }: RouteSchema, schemas: Schemas): object[] {
  return (
    Object.entries(querystring?.properties ?? {})
      // The token of a link is a way to authenticate.
      .filter(([name]) => name !== 'token')
      .map(([name, part]) => ({
        name,
        in: 'query',
        required: querystring?.required?.includes(name) ?? false,
        schema: schemas.describe(part),
      }))
  );
}

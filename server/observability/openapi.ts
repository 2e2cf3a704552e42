/** OpenAPI 3.1 for HTTP, derived from the registered routes. */
import type { RouteOptions } from 'fastify';
import { INFO } from './document-parts.ts';
import { createSchemas } from './document-schemas.ts';
import { describeRefusals } from './openapi-answers.ts';
import { describeOperation } from './openapi-operations.ts';
import { accessOf, securitySchemes } from './openapi-security.ts';
import { describeTags } from './openapi-tags.ts';

/** @returns the document of all routes but those that serve pages */
export function describeHttp(all: RouteOptions[]): object {
  // A path with a wildcard leads to files, which are no operations.
  const routes = all.filter(({ url, schema }) => !url.includes('*') && !schema?.hide);
  const schemas = createSchemas();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const url = route.url.replaceAll(/:(\w+)/g, '{$1}');
    for (const method of [route.method].flat()) {
      // Fastify answers HEAD wherever there is a GET.
      if (method === 'HEAD' && paths[url]?.get) continue;
      const operation = describeOperation({ route, url, method, security: accessOf(route), schemas });
      paths[url] = { ...paths[url], [method.toLowerCase()]: operation };
    }
  }
  const responses = describeRefusals(schemas);
  return {
    openapi: '3.1.0',
    info: {
      ...INFO,
      description: 'Accounts, uploads, commands and operations. Events arrive over the socket: see /asyncapi.json.',
    },
    servers: [{ url: '/', description: 'The server that this document comes from.' }],
    tags: describeTags(Object.keys(paths)),
    paths,
    components: { securitySchemes: securitySchemes(routes), schemas: schemas.components(), responses },
  };
}

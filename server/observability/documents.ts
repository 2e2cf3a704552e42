/**
 * The published documents. They are derived from the declarations that validate and dispatch, so they cannot differ from
 * what the server does.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import Type from 'typebox';
import { publish } from './published.ts';

const DOCUMENT = { 200: Type.Record(Type.String(), Type.Unknown()) };

/**
 * Serves `/openapi.json` and `/asyncapi.json`. Call it before any route is registered: it collects those that follow.
 */
export function publishDocuments(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  const summary = (of: string) => ({
    schema: { summary: `${of}, generated from what the server does.`, response: DOCUMENT },
  });
  // Loaded with the first request: a start need not read what makes them.
  const openApi = async () => (await import('./openapi.ts')).describeHttp(routes);
  const asyncApi = async () => (await import('./asyncapi.ts')).describeSocket();
  app.get('/openapi.json', summary('OpenAPI 3.1 of HTTP'), publish(openApi));
  app.get('/asyncapi.json', summary('AsyncAPI 3.0 of the socket'), publish(asyncApi));
}

/**
 * The published documents. They are derived from the declarations that validate and dispatch, so they cannot differ from
 * what the server does.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { describeSocket } from './asyncapi.ts';
import { describeHttp } from './openapi.ts';

/**
 * Serves `/openapi.json` and `/asyncapi.json`. Call it before any route is registered: it collects those that follow.
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

/** Who may call a route (PROTOCOL sections 2, 9, 10 and 12). */
import type { RouteOptions } from 'fastify';
import type { CommandDeclaration } from '../../shared/contract/define.ts';
import { commands } from '../../shared/contract/index.ts';

/** Alternatives; each names what must come together. */
export type Security = Record<string, string[]>[];

const SCHEMES: Record<string, object> = {
  access_token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: "A user's access token." },
  server_key: {
    type: 'http',
    scheme: 'bearer',
    description: "An operator's key, `lsk_…`, as `npm run keys` prints it.",
  },
  act_as: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Act-As',
    description: 'The id of the user that a server key acts for.',
  },
  link_token: { type: 'apiKey', in: 'query', name: 'token', description: 'The token of a link to an upload.' },
  metrics_token: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN, where it is set.' },
};

const IN_ANOTHERS_NAME = /^\/(api|media|files)(\/|$)/;

/** @returns what a route asks for; nothing where it does not authenticate */
export function accessOf({ url, onRequest, schema }: RouteOptions): Security {
  // Routes that authenticate do so in a hook of their own, before the body is read.
  if (!onRequest) return [];
  if (url.startsWith('/server/')) return [{ server_key: [] }];
  if (url === '/metrics') return [{ metrics_token: [] }, {}];
  const { properties } = (schema?.querystring ?? {}) as { properties?: Record<string, unknown> };
  return [
    { access_token: [] },
    ...(IN_ANOTHERS_NAME.test(url) && !isOfSession(url) ? [{ server_key: [], act_as: [] }] : []),
    ...(properties?.token ? [{ link_token: [] }] : []),
  ];
}

/** Whether a command belongs to the session that sends it. */
function isOfSession(url: string): boolean {
  const named = Object.entries<CommandDeclaration>(commands);
  return named.some(([name, { of_session }]) => of_session && url === `/api/${name.replace(':', '/')}`);
}

/** @returns those of the schemes that the routes use */
export function securitySchemes(routes: RouteOptions[]): Record<string, object> {
  const used = routes.flatMap(accessOf).flatMap(Object.keys);
  return Object.fromEntries(Object.entries(SCHEMES).filter(([name]) => used.includes(name)));
}

import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Logs each use of a server key that may have changed something: which key, on which route, what it was aimed at, and as
 * whom it acted. A command by `POST` is among them even where it only reads.
 */
export function auditServerKeys(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', async (request, { statusCode: status }) => {
    const { serverKey, method, params, caller } = request;
    if (!serverKey || READING.has(method) || status >= 400) return;
    const target = { ...(params as object), ...(caller ? { act_as: caller.id } : {}) };
    const route = `${method} ${request.routeOptions.url}`;
    log.info({ key_id: serverKey.id, key_name: serverKey.name, route, target, status }, 'a server key was used');
  });
}

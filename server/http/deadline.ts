/**
 * While the store is away, routes answer `unavailable` within the time of a command (PROTOCOL section 1). A request has
 * that time for all its hooks and its handler together; what its body takes to arrive does not count.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { storeAtHand } from '../dispatch/steps.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import type { Reach } from '../model/reach.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The handler moves bytes for as long as they take, and bounds its steps itself. */
    transfers?: boolean;
  }
  interface FastifyRequest {
    /** What is left of the request's time when its next step begins, in milliseconds. */
    leftMs: number;
    /** When the step under way must end, by `performance.now()`. */
    dueAt: number;
  }
}

type Step = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Bounds every route that is registered from now on. */
export function applyDeadline(app: FastifyInstance, { untilWritable, orAway }: Reach): void {
  app.decorateRequest('leftMs', COMMAND_DEADLINE_MS);
  app.decorateRequest('dueAt', 0);

  function bounded(step: Step): Step {
    return async (request, reply) => {
      const startedAt = performance.now();
      request.dueAt = startedAt + request.leftMs;
      try {
        return await orAway(Promise.resolve(step(request, reply)), request.leftMs);
      } finally {
        request.leftMs -= performance.now() - startedAt;
      }
    };
  }

  app.addHook('onRoute', (route) => {
    for (const name of ['onRequest', 'preHandler'] as const) {
      const steps = route[name];
      if (steps) Object.assign(route, { [name]: [steps].flat().map((step) => bounded(step as Step)) });
    }
    if (route.config?.transfers) return;
    const handler = route.handler as Step;
    const handle: Step = async (request, reply) => {
      if (mayWrite(request)) await storeAtHand(request, untilWritable);
      return handler.call(app, request, reply);
    };
    route.handler = bounded(handle) as RouteOptions['handler'];
  });
}

const mayWrite = ({ method }: FastifyRequest) => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';

/** `/healthz`, `/readyz` and `/metrics` (PROTOCOL section 10). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { OneOf, Raw } from '../../shared/contract/values.ts';
import type { DiskState } from '../lib/disk-space.ts';
import { unavailable } from '../lib/errors.ts';
import type { Metrics } from './metrics.ts';

export interface HealthSources {
  isDraining(): boolean;
  mongodbIsUp(): Promise<boolean>;
  /** Undefined on a single node. */
  redisIsUp: (() => boolean) | undefined;
  /** How many other nodes use the database that this one cannot talk to. */
  unlinkedNodes(): number;
  /** Of the disk that uploads pass through. */
  diskState(): DiskState;
  metrics: Metrics;
  /** Throws when a request may not read the metrics. */
  guardMetrics(request: FastifyRequest): Promise<void>;
}

const Alive = Type.Object({ status: Type.Literal('ok') });
const Report = {
  status: Type.String(),
  mongodb: Type.Boolean(),
  redis: Type.Optional(Type.Boolean()),
  unlinked_nodes: Type.Optional(Type.Integer()),
  disk: Type.String(),
};
const READINESS = {
  summary: 'Whether the server can be sent requests: not while MongoDB is away, and not while it drains.',
  response: {
    200: Type.Object({ ...Report, status: OneOf(['ok', 'degraded']) }),
    503: Type.Object({ ...Report, status: OneOf(['unavailable', 'draining']), error: Type.Unknown() }),
  },
  example: { answer: { status: 'ok', mongodb: true, disk: 'ok' } },
};

/** Registers the three routes; the first two need no authentication. */
export function registerHealthRoutes(
  app: FastifyInstance,
  { isDraining, mongodbIsUp, redisIsUp, unlinkedNodes, diskState, metrics, guardMetrics }: HealthSources,
): void {
  const alive = {
    summary: 'Whether the process lives.',
    response: { 200: Alive },
    example: { answer: { status: 'ok' } },
  };
  app.get('/healthz', { schema: alive }, async () => ({ status: 'ok' }));

  app.get('/readyz', { schema: READINESS }, async (_request, reply) => {
    const mongodb = await mongodbIsUp();
    const redis = redisIsUp?.() ?? true;
    const disk = diskState();
    const isReady = mongodb && !isDraining();
    const unlinked = unlinkedNodes();
    const isWhole = redis && unlinked === 0 && disk === 'ok';
    const status = isDraining() ? 'draining' : !mongodb ? 'unavailable' : isWhole ? 'ok' : 'degraded';
    const report = {
      status,
      mongodb,
      ...(redisIsUp ? { redis } : {}),
      ...(unlinked > 0 ? { unlinked_nodes: unlinked } : {}),
      disk,
    };
    if (isReady) return report;
    // Every HTTP error carries the contract's body, whatever else it contains.
    return reply.code(503).send({ ...report, error: unavailable(`the server is not ready: ${status}`).toWire() });
  });

  const counted = { summary: 'Metrics for Prometheus.', response: { 200: Raw('text/plain', 'Lines of metrics.') } };
  app.get('/metrics', { schema: counted, onRequest: guardMetrics }, async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** Traces by OpenTelemetry, sent by OTLP. Loaded where they are switched on, and nowhere else. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import {
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  defaultTextMapSetter,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import type { TracesConfig } from '../config/traces.ts';
import { waitAtMost } from '../lib/deadline.ts';
import type { Tracing } from '../lib/tracing.ts';
import { patientExporter } from './trace-exporter.ts';
import { followStore } from './traced-store.ts';

/** The longest wait for what is sent at the end, in milliseconds. */
const FLUSH_MS = 1000;
/**
 * How long something is part of a trace after that came to this process, in milliseconds. A timer that renews itself
 * keeps the context of the command that began it, and would go on in its trace for ever.
 */
const LASTING_MS = 10_000;
/** A `traceparent` of version 00, in characters. */
const TRACEPARENT_LENGTH = 55;
/** Outcomes of a command that are the server's fault. */
const FAULTS: readonly string[] = ['internal', 'unavailable'];

/** A place in a trace, and until when something is part of it, by `performance.now()`. */
interface Place {
  context: Context;
  until: number;
}

/** Whether the sampler has chosen its trace. */
const isTaken = (span: Span) => (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;

/**
 * Starts tracing. Sampling, batches and what else describes the process follow OpenTelemetry's own environment
 * variables (`OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`).
 */
export function startTracing({ url, headers }: TracesConfig, log: Logger): Tracing {
  const say = (message: string) => log.warn({ reason: message }, 'a setting of OpenTelemetry is wrong');
  const ignore = () => {};
  diag.setLogger(
    { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const exporter = patientExporter(new OTLPTraceExporter({ url, headers }), log);
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'letsapp', 'service.instance.id': randomUUID() }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('letsapp');
  const propagator = new W3CTraceContextPropagator();
  const places = new AsyncLocalStorage<Place | undefined>();

  function place(): Place | undefined {
    const current = places.getStore();
    return current && performance.now() < current.until ? current : undefined;
  }

  const arrived = (context: Context): Place => ({ context, until: performance.now() + LASTING_MS });
  const below = ({ context, until }: Place, span: Span): Place => ({ context: trace.setSpan(context, span), until });

  /** A span as part of the current one; undefined where there is none: what nobody asked for begins no trace. */
  function part(name: string, kind: SpanKind, attributes: Record<string, string>): Span | undefined {
    const parent = place();
    return parent && tracer.startSpan(name, { kind, attributes }, parent.context);
  }

  function together<R>(first: Place, others: Place[], work: () => Promise<R>): Promise<R> {
    const links = others.flatMap(({ context }) => trace.getSpanContext(context) ?? []).map((context) => ({ context }));
    const attributes = { 'letsapp.requests': 1 + others.length };
    const batch = tracer.startSpan('batch', { links, attributes }, first.context);
    return places.run(below(first, batch), work).finally(() => batch.end());
  }

  return {
    origin: place,
    within(origins, work) {
      const distinct = new Set(origins as (Place | undefined)[]);
      const [first, ...others] = [...distinct].filter((origin) => origin !== undefined);
      return first && others.length > 0 ? together(first, others, work) : places.run(first, work);
    },
    async command(name, carryOut) {
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, ROOT_CONTEXT);
      const answer = await places.run(below(arrived(ROOT_CONTEXT), span), carryOut);
      const outcome = answer.ok ? 'ok' : answer.error.code;
      span.setAttribute('letsapp.outcome', outcome);
      if (FAULTS.includes(outcome)) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      return answer;
    },
    watchStore: (client) => followStore(client, part),
    publication(kind) {
      const span = part(`publish ${kind}`, SpanKind.PRODUCER, { 'messaging.system': 'redis' });
      if (!span) return undefined;
      span.end();
      const carrier: { traceparent?: string } = {};
      propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
      return isTaken(span) ? carrier.traceparent : undefined;
    },
    reception(traceparent, apply) {
      const isPlace = typeof traceparent === 'string' && traceparent.length === TRACEPARENT_LENGTH;
      const context = isPlace && propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
      places.run(context && trace.getSpanContext(context) ? arrived(context) : undefined, apply);
    },
    delivery(kind, event, apply) {
      const span = part(`deliver ${kind}`, SpanKind.CONSUMER, event === undefined ? {} : { 'letsapp.event': event });
      if (!span) return apply();
      try {
        places.run(below(places.getStore()!, span), apply);
      } finally {
        span.end();
      }
    },
    close: () => waitAtMost(provider.shutdown(), FLUSH_MS).catch(() => {}),
  };
}

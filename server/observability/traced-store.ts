import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { MongoClient } from 'mongodb';

/** Begins a span as part of the current one; undefined where there is none. */
export type BeginPart = (name: string, kind: SpanKind, attributes: Record<string, string>) => Span | undefined;

/**
 * Makes a span of each command to the store that is part of a trace, after OpenTelemetry's conventions for databases:
 * which command on which collection, and never what is in it or in its answer.
 */
export function followStore(client: MongoClient, begin: BeginPart): void {
  const underWay = new Map<number, Span>();

  client.on('commandStarted', ({ requestId, commandName, command }) => {
    const named: unknown = command.collection ?? command[commandName];
    const collection = typeof named === 'string' ? named : undefined;
    const span = begin(collection === undefined ? commandName : `${commandName} ${collection}`, SpanKind.CLIENT, {
      'db.system.name': 'mongodb',
      'db.operation.name': commandName,
      ...(collection === undefined ? {} : { 'db.collection.name': collection }),
    });
    if (span) underWay.set(requestId, span);
  });

  function end(requestId: number, failure?: Error): void {
    const span = underWay.get(requestId);
    if (!span) return;
    underWay.delete(requestId);
    if (failure) {
      const { name, code } = failure as Error & { code?: unknown };
      // Without the message, which may quote documents.
      span.setAttribute('error.type', typeof code === 'number' ? String(code) : name);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
  client.on('commandSucceeded', ({ requestId }) => end(requestId));
  client.on('commandFailed', ({ requestId, failure }) => end(requestId, failure));
}

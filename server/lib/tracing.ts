/**
 * Traces: what a command causes, over all nodes. They are switched on by `OTEL_EXPORTER_OTLP_ENDPOINT`; without it
 * `tracing` is undefined, OpenTelemetry's SDK is not loaded, and code that could be traced only looks whether it is.
 */
import type { MongoClient } from 'mongodb';
import type { Ack } from '../../shared/contract/errors.ts';

/** What work is part of: a place in a trace. Only `Tracing` looks into it. */
export type Origin = object;

export interface Tracing {
  /** What this very call is part of; undefined outside of a trace. */
  origin(): Origin | undefined;
  /**
   * Carries out work that was asked for in several places: as a part of the first, with links to the others.
   * @returns what the work returns
   */
  within<R>(origins: readonly (Origin | undefined)[], work: () => Promise<R>): Promise<R>;
  /** Carries out a command as the beginning of a trace. @param name never what a client has made up */
  command<R>(name: string, carryOut: () => Promise<Ack<R>>): Promise<Ack<R>>;
  /** Follows the commands to the store that are part of a trace. The client must be one with `monitorCommands`. */
  watchStore(client: MongoClient): void;
  /**
   * Notes that something is told to other nodes.
   * @returns its place as `traceparent` (W3C Trace Context), for them; undefined outside of a trace, or in one that
   *   is not sent
   */
  publication(kind: string): string | undefined;
  /** Applies what another node told. @param traceparent whatever came as that: anything but a place is ignored */
  reception(traceparent: unknown, apply: () => void): void;
  /** Puts something onto this node's sockets, as a part of the trace that it belongs to. */
  delivery(kind: string, event: string | undefined, apply: () => void): void;
  /** Sends what was not sent yet, for a second at most. Never rejects. */
  close(): Promise<void>;
}

/** One for the process, as the context of asynchronous calls is; the modules that share work out are many. */
export let tracing: Tracing | undefined;

/** Switches tracing on; to be called before anything that could be traced is made. */
export function traceBy(started: Tracing): void {
  tracing = started;
}

/**
 * How commands and events are declared. A declaration is the one place that says what a command is called,
 * what it takes and gives, and how it counts against the rate limits: dispatch, the Socket.IO types, the client
 * and the published documents are all derived from it.
 */
import type { Static, TSchema } from 'typebox';

/** Which budget of PROTOCOL section 10 (`RATE_LIMITS`) a command draws on besides that of its socket. */
export type RateClass = 'command' | 'message' | 'call' | 'contact_request';

export interface CommandDeclaration<P extends TSchema = TSchema, D extends TSchema = TSchema> {
  readonly summary: string;
  readonly payload: P;
  readonly data: D;
  readonly rate: RateClass;
}

export interface EventDeclaration<P extends TSchema = TSchema> {
  readonly summary: string;
  readonly payload: P;
}

/** Declares a command (client → server, acknowledged). `rate` is `command` unless told otherwise. */
export function command<P extends TSchema, D extends TSchema>(
  summary: string,
  payload: P,
  data: D,
  rate: RateClass = 'command',
): CommandDeclaration<P, D> {
  return { summary, payload, data, rate };
}

/** Declares an event (server → client). */
export function event<P extends TSchema>(summary: string, payload: P): EventDeclaration<P> {
  return { summary, payload };
}

export type PayloadOf<C extends { payload: TSchema }> = Static<C['payload']>;
export type DataOf<C extends CommandDeclaration> = Static<C['data']>;

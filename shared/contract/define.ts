/**
 * Declares commands and events. A declaration holds everything there is to say about a command: dispatch, budgets,
 * shedding, the HTTP routes, the Socket.IO types, the client and the published documents all read it.
 */
import type { Static, TSchema } from 'typebox';

/** The budget (PROTOCOL section 10, `RATE_LIMITS`) that a command draws on besides the one of its socket. */
export type RateClass = 'command' | 'message' | 'call' | 'contact_request' | 'new_group';

/** A budget that is counted by the entries of a list. */
export type ListClass = 'group_addition';

/** What a command takes from such a budget: one for each different entry of a property of its payload. */
export interface ListDraw {
  readonly list: ListClass;
  readonly of: string;
}

export interface CommandDeclaration<
  P extends TSchema = TSchema,
  D extends TSchema = TSchema,
  O extends boolean = boolean,
> {
  readonly summary: string;
  readonly payload: P;
  /** What a success is answered with. */
  readonly data: D;
  readonly rate: RateClass;
  /** What it takes beside that, once its payload is known to be valid. */
  readonly draws: ListDraw | undefined;
  /** An overloaded server refuses these first, so that messages need not wait. */
  readonly sheddable: boolean;
  /** The property of the payload whose texts and names pass through unchecked. */
  readonly opaque: string | undefined;
  /** Acts on the connection that sends it, so HTTP does not offer it. */
  readonly device_only: O;
}

export interface EventDeclaration<P extends TSchema = TSchema> {
  readonly summary: string;
  readonly payload: P;
}

type CommandOptions = Partial<Pick<CommandDeclaration, 'rate' | 'sheddable' | 'opaque'>>;

/** Declares a command (client to server, acknowledged) with everything that holds for it. */
export function command<P extends TSchema, D extends TSchema, O extends boolean = false>(
  declared: {
    summary: string;
    payload: P;
    data: D;
    device_only?: O;
    draws?: ListDraw & { of: keyof Static<P> };
  } & CommandOptions,
): CommandDeclaration<P, D, O> {
  return {
    rate: 'command',
    draws: undefined,
    sheddable: false,
    opaque: undefined,
    device_only: false as O,
    ...declared,
  };
}

/** Declares an event (server to client). */
export function event<P extends TSchema>(declared: EventDeclaration<P>): EventDeclaration<P> {
  return declared;
}

export type PayloadOf<C extends { payload: TSchema }> = Static<C['payload']>;
export type DataOf<C extends CommandDeclaration> = Static<C['data']>;

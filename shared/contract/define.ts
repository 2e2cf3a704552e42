/**
 * Declares commands and events. A declaration holds everything there is to say about a command: dispatch, budgets,
 * shedding, the HTTP routes, the Socket.IO types, the client and the published documents all read it.
 */
import type { Static, TSchema } from 'typebox';
import type { ErrorCode } from './errors.ts';

/** The budget (PROTOCOL section 10, `RATE_LIMITS`) that a command draws on besides the one of its socket. */
export type RateClass =
  | 'command'
  | 'message'
  | 'call'
  | 'contact_request'
  | 'user_search'
  | 'new_group'
  | 'invite_code';

/**
 * What a command costs the store, in points of its user's budget (PROTOCOL section 10): 1 for most, up to 40 for those
 * that read pages. It is asked before anything is checked: the payload may be anything.
 */
export type Cost = number | ((payload: unknown) => number);

/** @returns the points of a payload as it was sent */
export function pointsOf(cost: Cost, payload: unknown): number {
  return typeof cost === 'number' ? cost : cost(payload);
}

/** The points of a page of full size. */
export const FULL_PAGE = 40;

/** Costs a page in proportion to its `limit`. One that is refused later costs as the largest. */
export function pageOf(most: number, byDefault: number): Cost {
  return (payload) => pointsFor(Object(payload).limit ?? byDefault, most);
}

/** Costs a list in proportion to how many things the payload names. */
export function listOf(field: string, most: number): Cost {
  return (payload) => pointsFor(Object(payload)[field]?.length, most);
}

function pointsFor(size: unknown, most: number): number {
  const isWithin = typeof size === 'number' && size >= 0 && size <= most;
  return isWithin ? Math.max(1, Math.ceil((size / most) * FULL_PAGE)) : FULL_PAGE;
}

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
  S extends boolean = boolean,
> {
  readonly summary: string;
  readonly payload: P;
  /** What a success is answered with. */
  readonly data: D;
  readonly rate: RateClass;
  /** How much of that budget it takes; 1 by default. */
  readonly weight: Cost;
  readonly cost: Cost;
  /** Its refusals besides those that every command has (`COMMON_ERRORS`). */
  readonly errors: readonly ErrorCode[];
  /** One that succeeds, for the published documents. */
  readonly example: { readonly payload: Static<P>; readonly data: Static<D> };
  /** What it takes beside that, once its payload is known to be valid. */
  readonly draws: ListDraw | undefined;
  /** An overloaded server refuses these first, so that messages need not wait. */
  readonly sheddable: boolean;
  /** The property of the payload whose texts and names pass through unchecked. */
  readonly opaque: string | undefined;
  /** Acts on the connection that sends it, so HTTP does not offer it. */
  readonly device_only: O;
  /** Belongs to the session that sends it: for a server key, which has none, there is no such command. */
  readonly of_session: S;
}

export interface EventDeclaration<P extends TSchema = TSchema> {
  readonly summary: string;
  readonly payload: P;
  readonly example: Static<P>;
}

type CommandOptions = Partial<Pick<CommandDeclaration, 'rate' | 'weight' | 'cost' | 'errors' | 'sheddable' | 'opaque'>>;

/** The refusals that any command may meet. */
export const COMMON_ERRORS: readonly ErrorCode[] = ['validation_failed', 'rate_limited', 'unavailable', 'internal'];

/** Declares a command (client to server, acknowledged) with everything that holds for it. */
export function command<P extends TSchema, D extends TSchema, O extends boolean = false, S extends boolean = false>(
  declared: {
    summary: string;
    payload: P;
    data: D;
    example: { payload: Static<P>; data: Static<D> };
    device_only?: O;
    of_session?: S;
    draws?: ListDraw & { of: keyof Static<P> };
  } & CommandOptions,
): CommandDeclaration<P, D, O, S> {
  return {
    rate: 'command',
    weight: 1,
    cost: 1,
    errors: [],
    draws: undefined,
    sheddable: false,
    opaque: undefined,
    device_only: false as O,
    of_session: false as S,
    ...declared,
  };
}

/** Declares an event (server to client). */
export function event<P extends TSchema>(declared: EventDeclaration<P>): EventDeclaration<P> {
  return declared;
}

export type PayloadOf<C extends { payload: TSchema }> = Static<C['payload']>;
export type DataOf<C extends CommandDeclaration> = Static<C['data']>;

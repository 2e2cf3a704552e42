/** The steps that every command takes, from a socket or over HTTP. Each refuses by throwing a ContractError. */
import { type CommandDeclaration, pointsOf } from '../../shared/contract/define.ts';
import { type CommandName, commands } from '../../shared/contract/index.ts';
import { WRITE_MS } from '../lib/deadline.ts';
import { invalid, notFound, unavailable } from '../lib/errors.ts';
import type { KeyedQueue } from '../lib/keyed-queue.ts';
import { assertPlain } from '../lib/plain-json.ts';
import { compile, type Validate, validationFailed } from '../lib/validation.ts';
import type { Reach } from '../model/reach.ts';
import { weightOf } from './answer-weight.ts';
import type { Priced, Spend } from './budgets.ts';
import type { Caller } from './caller.ts';
import type { Handlers } from './handlers.ts';
import type { SpendList } from './list-budgets.ts';
import type { Points } from './points.ts';
import type { ServerTime } from './server-time.ts';

/** A declared command and the function that carries it out. */
export interface Route {
  declaration: CommandDeclaration;
  validate: Validate;
  handle(caller: Caller, payload: unknown, dueAt: number): unknown;
}

/** A command on its way. */
export interface Sent {
  readonly caller: Caller;
  readonly name: string;
  /** Undefined for a name that the contract does not declare. */
  readonly route: Route | undefined;
  /** What came with the name: one payload, or nothing. */
  readonly args: unknown[];
  /** When the caller is told `unavailable` instead of an answer, by `performance.now()`. */
  readonly dueAt: number;
}

/** A command that may be carried out. */
export interface Valid {
  caller: Caller;
  route: Route;
  payload: unknown;
  dueAt: number;
}

/** What reading pages takes. */
export interface Pages {
  /** One page of a user at a time: what one user reads, however much, leaves room for what others do. */
  turns: Pick<KeyedQueue, 'run'>;
  points: Pick<Points, 'page'>;
}

/** Every declared command by its name, with its schema. */
export function createRoutes(handlers: Handlers): Map<string, Route> {
  return new Map(
    (Object.entries(commands) as [CommandName, CommandDeclaration][]).map(([name, declaration]) => [
      name,
      { declaration, validate: compile(declaration.payload), handle: handlers[name] as Route['handle'] },
    ]),
  );
}

/** What an unknown name costs: as much as a cheap command. */
const UNKNOWN: Priced = { rate: 'command', weight: 1, cost: 1 };

/** Within the budgets of its caller. */
export function withinBudget({ caller, route, args }: Sent, spend: Spend): Promise<void> | void {
  return spend(caller, route?.declaration ?? UNKNOWN, args[0]);
}

/** Known to the caller, with one payload at most. */
export function known({ caller, route, args, dueAt }: Sent): Valid {
  if (!route || (route.declaration.of_session && caller.sessionId === undefined)) throw notFound('no such command');
  if (args.length > 1) throw invalid('', 'must be the only argument');
  return { caller, route, payload: args[0] ?? {}, dueAt };
}

/** Plain: JSON without what no schema can refuse. */
export function plain({ route, payload }: Valid): void {
  assertPlain(payload, route.declaration.opaque);
}

/** Valid by the schema of its declaration. */
export function valid({ route, payload }: Valid): void {
  if (!route.validate(payload)) throw validationFailed(route.validate);
}

/** Within the budget of what it names, where that is counted. */
export function withinListBudget({ caller, route, payload }: Valid, spendList: SpendList): Promise<void> | undefined {
  const { draws } = route.declaration;
  if (!draws || caller.sessionId === undefined) return undefined;
  return spendList(caller, draws, payload as Record<string, unknown>);
}

/** Not shed: under overload the sheddable ones make room. */
export function notShed({ route }: Pick<Valid, 'route'>, isOverloaded: () => boolean): void {
  if (route.declaration.sheddable && isOverloaded()) throw unavailable('too much to do: messages come first');
}

/** With the store at hand: what began without it would wait in the driver, and be carried out after its answer. */
export async function storeAtHand(
  { dueAt }: Pick<Valid, 'dueAt'>,
  untilWritable: Reach['untilWritable'],
): Promise<void> {
  const isWritable = untilWritable(Math.max(dueAt - WRITE_MS - performance.now(), 0));
  if (isWritable !== true && !(await isWritable)) {
    throw unavailable('a store is down: nothing was carried out; repeat it');
  }
}

/** Carried out, within the time that `server_time` accounts for. */
export function carriedOut({ caller, route, payload, dueAt }: Valid, serverTime: ServerTime): Promise<unknown> {
  return serverTime.during(() => route.handle(caller, payload, dueAt));
}

/** Pages wait for their user's other pages, and are paid by their size once that is known. */
export function inTurn(command: Valid, pages: Pages, carryOut: () => Promise<unknown>): Promise<unknown> {
  const { caller, route, payload, dueAt } = command;
  if (pointsOf(route.declaration.cost, payload) === 1) return carryOut();
  return pages.turns.run(caller.id, async () => {
    // The caller has been told this by now, and may ask again.
    if (performance.now() > dueAt) throw unavailable();
    const data = await carryOut();
    if (caller.sessionId !== undefined) pages.points.page(caller.id, weightOf(data));
    return data;
  });
}

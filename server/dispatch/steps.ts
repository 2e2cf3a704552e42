/** The steps that every command takes, from a socket or over HTTP. Each refuses by throwing a ContractError. */
import type { ValidateFunction } from 'ajv';
import type { CommandDeclaration } from '../../shared/contract/define.ts';
import { type CommandName, commands } from '../../shared/contract/index.ts';
import { invalid, notFound, unavailable } from '../lib/errors.ts';
import { assertPlain } from '../lib/plain-json.ts';
import { compile, validationFailed } from '../lib/validation.ts';
import type { Spend } from './budgets.ts';
import type { SpendList } from './list-budgets.ts';
import type { Caller } from './caller.ts';
import type { Handlers } from './handlers.ts';
import type { ServerTime } from './server-time.ts';

/** A declared command and the function that carries it out. */
export interface Route {
  declaration: CommandDeclaration;
  validate: ValidateFunction;
  handle(caller: Caller, payload: unknown): unknown;
}

/** A command on its way. */
export interface Sent {
  readonly caller: Caller;
  readonly name: string;
  /** Undefined for a name that the contract does not declare. */
  readonly route: Route | undefined;
  /** What came with the name: one payload, or nothing. */
  readonly args: unknown[];
}

/** A command that may be carried out. */
export interface Valid {
  caller: Caller;
  route: Route;
  payload: unknown;
}

/** Every declared command by its name, with its schema compiled. */
export function createRoutes(handlers: Handlers): Map<string, Route> {
  return new Map(
    (Object.entries(commands) as [CommandName, CommandDeclaration][]).map(([name, declaration]) => [
      name,
      { declaration, validate: compile(declaration.payload), handle: handlers[name] as Route['handle'] },
    ]),
  );
}

/** Within budget: an unknown name costs as much as a cheap command. */
export function withinBudget({ caller, route }: Sent, spend: Spend): Promise<void> | void {
  return spend(caller, route?.declaration.rate ?? 'command');
}

/** Known, with one payload at most. */
export function known({ caller, route, args }: Sent): Valid {
  if (!route) throw notFound('no such command');
  if (args.length > 1) throw invalid('', 'must be the only argument');
  return { caller, route, payload: args[0] ?? {} };
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
export async function withinListBudget({ caller, route, payload }: Valid, spendList: SpendList): Promise<void> {
  const { draws } = route.declaration;
  if (draws) await spendList(caller, draws, payload as Record<string, unknown>);
}

/** Not shed: under overload the sheddable ones make room. */
export function notShed({ route }: Valid, isOverloaded: () => boolean): void {
  if (route.declaration.sheddable && isOverloaded()) throw unavailable('too much to do: messages come first');
}

/** Carried out, within the time that `server_time` accounts for. */
export function carriedOut({ caller, route, payload }: Valid, serverTime: ServerTime): Promise<unknown> {
  return serverTime.during(() => route.handle(caller, payload));
}

/** From a packet to the acknowledgement: declared? within limits? valid? then its handler. */
import type { ValidateFunction } from 'ajv';
import type { Logger } from 'pino';
import type { CommandDeclaration, RateClass } from '../../shared/contract/define.ts';
import type { Ack, WireError } from '../../shared/contract/errors.ts';
import { type CommandData, type CommandName, type CommandPayload, commands } from '../../shared/contract/index.ts';
import { isUnavailable } from '../database/failures.ts';
import { withDeadline } from '../deadline.ts';
import { ContractError, notFound, rateLimited, unavailable } from '../errors.ts';
import { assertPlain, compile, validationFailed } from '../validation.ts';
import type { Caller } from './caller.ts';

export type Handler<N extends CommandName> = (
  caller: Caller,
  payload: CommandPayload<N>,
) => Promise<CommandData<N>> | CommandData<N>;

/** One handler for each declared command. */
export type Handlers = { [N in CommandName]: Handler<N> };

export interface DispatchOptions {
  handlers: Handlers;
  /** Takes one command of a class from the caller's budgets; throws `rate_limited`. */
  spend(caller: Caller, rate: RateClass): Promise<void> | void;
  /** Called once per command with its outcome: `ok` or the error's code. */
  onDone(command: string, outcome: string, startedAt: number): void;
  log: Logger;
}

interface Route {
  validate: ValidateFunction;
  rate: RateClass;
  handle(caller: Caller, payload: unknown): unknown;
}

/** Text that is passed through untouched is not looked at (PROTOCOL section 1). */
const OPAQUE = 'signal';

/** @returns a function that carries out one packet: its event name and arguments as Socket.IO gives them */
export function createDispatch({ handlers, spend, onDone, log }: DispatchOptions) {
  const routes = new Map<string, Route>();
  for (const [name, declaration] of Object.entries(commands) as [CommandName, CommandDeclaration][]) {
    const handle = handlers[name] as Route['handle'];
    routes.set(name, { validate: compile(declaration.payload), rate: declaration.rate, handle });
  }

  async function run(caller: Caller, route: Route | undefined, name: string, args: unknown[]): Promise<unknown> {
    await spend(caller, route?.rate ?? 'command');
    if (!route) throw notFound('no such command');
    if (args.length > 1) throw new ContractError('validation_failed', 'a command takes one payload', []);
    const payload = args[0] ?? {};
    assertPlain(payload, name === 'call:signal' ? OPAQUE : undefined);
    if (!route.validate(payload)) throw validationFailed(route.validate);
    return route.handle(caller, payload);
  }

  return async function dispatch(caller: Caller, packet: unknown[]): Promise<void> {
    const startedAt = performance.now();
    const name = String(packet[0]);
    const last = packet.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (result: Ack<unknown>) => void) : undefined;
    const args = packet.slice(1, acknowledge ? -1 : undefined);
    const route = routes.get(name);
    let result: Ack<unknown>;
    try {
      result = { ok: true, data: await withDeadline(run(caller, route, name, args)) };
    } catch (error) {
      result = { ok: false, error: toWireError(error, name, log) };
    }
    acknowledge?.(result);
    onDone(route ? name : 'unknown', result.ok ? 'ok' : result.error.code, startedAt);
  };
}

/** What the caller is told of an error; what is no refusal of the contract is logged with a number to find it by. */
export function toWireError(error: unknown, what: string, log: Logger): WireError {
  if (error instanceof ContractError) return error.toWire();
  if (isUnavailable(error)) {
    log.warn({ err: error, what }, 'the store is not available');
    return unavailable().toWire();
  }
  const correlation_id = crypto.randomUUID();
  log.error({ err: error, what, correlation_id }, 'unexpected error');
  return { code: 'internal', message: 'something went wrong here', details: { correlation_id } };
}

/** Turns a wait in milliseconds into the contract's refusal. */
export function refuseIfLimited(waitMs: number): void {
  if (waitMs > 0) throw rateLimited(waitMs);
}

/** From a command's name and payload to its result: the one way for sockets and HTTP. */
import type { Logger } from 'pino';
import type { Ack } from '../../shared/contract/errors.ts';
import { COMMAND_DEADLINE_MS, withDeadline } from '../lib/deadline.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { type Tracing, tracing } from '../lib/tracing.ts';
import type { Reach } from '../model/reach.ts';
import type { Spend } from './budgets.ts';
import type { Caller } from './caller.ts';
import type { Handlers } from './handlers.ts';
import type { SpendList } from './list-budgets.ts';
import type { Points } from './points.ts';
import type { ServerTime } from './server-time.ts';
import {
  carriedOut,
  createRoutes,
  inTurn,
  known,
  notShed,
  plain,
  type Sent,
  storeAtHand,
  valid,
  withinBudget,
  withinListBudget,
} from './steps.ts';
import { toWireError } from './wire-error.ts';

export interface DispatchOptions {
  handlers: Handlers;
  spend: Spend;
  spendList: SpendList;
  points: Pick<Points, 'page'>;
  isOverloaded(): boolean;
  untilWritable: Reach['untilWritable'];
  serverTime: ServerTime;
  /** Called once per command with its outcome: `ok` or the error's code. */
  onDone(command: string, outcome: string, startedAt: number): void;
  log: Logger;
}

/**
 * Carries out one command; never rejects.
 * @param name what the client called it, declared or not
 * @param args what came with the name: one payload, or nothing
 * @param dueAt when it must be answered, by `performance.now()`; by default after the time of a command
 */
export type Dispatch = (caller: Caller, name: string, args: unknown[], dueAt?: number) => Promise<Ack<unknown>>;

export function createDispatch({
  handlers,
  spend,
  spendList,
  points,
  isOverloaded,
  untilWritable,
  serverTime,
  onDone,
  log,
}: DispatchOptions): Dispatch {
  const routes = createRoutes(handlers);
  const pages = { turns: createKeyedQueue('pages'), points };

  async function takeSteps(sent: Sent): Promise<unknown> {
    await withinBudget(sent, spend);
    const command = known(sent);
    plain(command);
    valid(command);
    await withinListBudget(command, spendList);
    notShed(command, isOverloaded);
    await storeAtHand(command, untilWritable);
    return inTurn(command, pages, () => carriedOut(command, serverTime));
  }

  const dispatch: Dispatch = async (caller, name, args, due) => {
    const startedAt = performance.now();
    const route = routes.get(name);
    const dueAt = due ?? startedAt + COMMAND_DEADLINE_MS;
    let result: Ack<unknown>;
    try {
      const taken = takeSteps({ caller, name, route, args, dueAt });
      result = { ok: true, data: await withDeadline(taken, dueAt - startedAt) };
    } catch (error) {
      result = { ok: false, error: toWireError(error, name, log) };
    }
    onDone(route ? name : 'unknown', result.ok ? 'ok' : result.error.code, startedAt);
    return result;
  };
  return tracing ? traced(dispatch, (name) => routes.has(name), tracing) : dispatch;
}

function traced(dispatch: Dispatch, isKnown: (name: string) => boolean, traces: Tracing): Dispatch {
  return (caller, name, ...rest) =>
    traces.command(isKnown(name) ? name : 'unknown', () => dispatch(caller, name, ...rest));
}

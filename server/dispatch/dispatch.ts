/** From a command's name and payload to its result: the one way for sockets and HTTP. */
import type { Logger } from 'pino';
import type { Ack } from '../../shared/contract/errors.ts';
import { COMMAND_DEADLINE_MS, withDeadline } from '../lib/deadline.ts';
import type { Spend } from './budgets.ts';
import type { Caller } from './caller.ts';
import type { Handlers } from './handlers.ts';
import type { SpendList } from './list-budgets.ts';
import { createPageTurns } from './page-turns.ts';
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
  valid,
  withinBudget,
  withinListBudget,
} from './steps.ts';
import { toWireError } from './wire-error.ts';

/** How many pages of one user are read at a time. */
const PAGES_AT_ONCE = 1;

export interface DispatchOptions {
  handlers: Handlers;
  spend: Spend;
  spendList: SpendList;
  points: Pick<Points, 'page'>;
  isOverloaded(): boolean;
  serverTime: ServerTime;
  /** Called once per command with its outcome: `ok` or the error's code. */
  onDone(command: string, outcome: string, startedAt: number): void;
  log: Logger;
}

/**
 * Carries out one command; never rejects.
 * @param name what the client called it, declared or not
 * @param args what came with the name: one payload, or nothing
 */
export type Dispatch = (caller: Caller, name: string, args: unknown[]) => Promise<Ack<unknown>>;

export function createDispatch({
  handlers,
  spend,
  spendList,
  points,
  isOverloaded,
  serverTime,
  onDone,
  log,
}: DispatchOptions): Dispatch {
  const routes = createRoutes(handlers);
  const pages = { turns: createPageTurns(PAGES_AT_ONCE), points };

  async function takeSteps(sent: Sent): Promise<unknown> {
    await withinBudget(sent, spend);
    const command = known(sent);
    plain(command);
    valid(command);
    if (command.route.declaration.draws) await withinListBudget(command, spendList);
    notShed(command, isOverloaded);
    return inTurn(command, pages, () => carriedOut(command, serverTime, sent.startedAt + COMMAND_DEADLINE_MS));
  }

  return async (caller, name, args) => {
    const startedAt = performance.now();
    const route = routes.get(name);
    let result: Ack<unknown>;
    try {
      result = { ok: true, data: await withDeadline(takeSteps({ caller, name, route, args, startedAt })) };
    } catch (error) {
      result = { ok: false, error: toWireError(error, name, log) };
    }
    onDone(route ? name : 'unknown', result.ok ? 'ok' : result.error.code, startedAt);
    return result;
  };
}

/** The functions that carry out commands: one for each that the contract declares. */
import type { CommandData, CommandName, CommandPayload, commands } from '../../shared/contract/index.ts';
import type { Caller, DeviceCaller, SessionCaller } from './caller.ts';

type CallerOf<N extends CommandName> = (typeof commands)[N]['device_only'] extends true
  ? DeviceCaller
  : (typeof commands)[N]['of_session'] extends true
    ? SessionCaller
    : Caller;

/**
 * Carries out one command; throws ContractError to refuse it.
 * @param dueAt when the caller is told `unavailable` instead of an answer, by `performance.now()`; never by default
 */
export type Handler<N extends CommandName> = (
  caller: CallerOf<N>,
  payload: CommandPayload<N>,
  dueAt?: number,
) => Promise<CommandData<N>> | CommandData<N>;

export type Handlers = { [N in CommandName]: Handler<N> };

/** The handlers of some commands, named or by their domain: `HandlersOf<'group'>`. */
export type HandlersOf<P extends string> = Pick<Handlers, Extract<CommandName, P | `${P}:${string}`>>;

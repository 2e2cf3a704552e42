/** Commands under way: emitted, repeated after a reconnection, answered or given up. */
import type { CommandData, CommandName, CommandPayload } from '../../shared/contract/index.ts';
import type { Recorder } from './recorder.ts';

export interface Command {
  name: CommandName;
  payload: object;
  plannedAt: number;
  expiresAt: number;
  answered(answer: WireAnswer): void;
}

export interface WireAnswer {
  ok: boolean;
  data?: unknown;
  error?: { code: string; details?: { retry_after_ms?: number } };
}

/** Who gives commands. */
export interface Caller {
  /** Not yet answered: after a reconnection they are emitted again. */
  waiting: Set<Command>;
  /** Whether it is connected and up to date. */
  isBack(): boolean;
  /** Until when the server has asked it to be quiet. */
  quietUntil: number;
  emit(command: Command): void;
}

export interface Commands {
  /** How long an answer is waited for. */
  timeoutMs: number;
  /**
   * Gives a command and measures it from the time for which it was planned.
   * @returns its data; undefined if it was refused, not answered in time, or not begun because too many are under way
   */
  give<N extends CommandName>(
    caller: Caller,
    name: N,
    payload: CommandPayload<N>,
    plannedAt: number,
  ): Promise<CommandData<N> | undefined>;
  /** How many are under way. */
  underWay(): number;
  /** Gives up what was not answered in time. */
  sweep(): void;
}

/** Times are those of `performance.now()`. */
export function createCommands(recorder: Recorder, inFlight: number, timeoutMs: number): Commands {
  /** In the order in which they expire. */
  const all = new Map<Command, Caller>();

  return {
    timeoutMs,
    underWay: () => all.size,
    async give(caller, name, payload, plannedAt) {
      const now = performance.now();
      const reason = now < caller.quietUntil ? 'asked_to_wait' : all.size >= inFlight ? 'in_flight' : undefined;
      if (reason) {
        recorder.notBegun(name, reason);
        return undefined;
      }
      const answer = await new Promise<WireAnswer>((answered) => {
        const command: Command = { name, payload, plannedAt, expiresAt: now + timeoutMs, answered };
        all.set(command, caller);
        caller.waiting.add(command);
        command.answered = (given) => {
          if (!all.delete(command)) return;
          caller.waiting.delete(command);
          answered(given);
        };
        if (caller.isBack()) caller.emit(command);
      });
      if (answer.ok) {
        recorder.answered(name, plannedAt);
        return answer.data as CommandData<typeof name>;
      }
      const { code, details } = answer.error!;
      recorder.failed(name, code, plannedAt);
      if (code === 'rate_limited') caller.quietUntil = performance.now() + (details?.retry_after_ms ?? 0);
      return undefined;
    },
    sweep() {
      const now = performance.now();
      for (const [command, caller] of all) {
        if (command.expiresAt > now) return;
        command.answered({ ok: false, error: { code: caller.isBack() ? 'timeout' : 'not_connected' } });
      }
    },
  };
}

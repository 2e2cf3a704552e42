import type { Handlers } from '../gateway/dispatch.ts';
import type { CallHistory } from './call-history.ts';
import type { Calls } from './calls.ts';
import type { RelaySignal } from './signals.ts';

export type CallCommands = Extract<keyof Handlers, `call:${string}`>;

/** The handlers of calls: each one call. */
export function callHandlers(calls: Calls, signal: RelaySignal, history: CallHistory): Pick<Handlers, CallCommands> {
  return {
    'call:initiate': calls.initiate,
    'call:ringing': calls.ringing,
    'call:accept': calls.accept,
    'call:reject': calls.reject,
    'call:join': calls.join,
    'call:leave': calls.leave,
    'call:end': calls.leave,
    'call:signal': signal,
    'call:history': history.page,
  };
}

/** One call of a pair: it rings, is accepted, both exchange what WebRTC needs, and the caller ends it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Commands } from './commands.ts';
import type { Recorder } from './recorder.ts';
import type { User } from './user.ts';

export interface CallOptions {
  commands: Commands;
  recorder: Recorder;
  /** Aborted when the run is over: those who talk hang up. */
  signal: AbortSignal;
  caller: User;
  callee: User;
  plannedAt: number;
}

/** An offer or answer, then candidates, from each side. */
const DESCRIPTION = { type: 'description', sdp: 's'.repeat(1500) };
const CANDIDATE = { type: 'candidate', candidate: 'c'.repeat(120) };
const CANDIDATES = 5;
const TALK_MS = 2000;

/** Resolves when all of it is over, also when something of it was refused. */
export async function callOnce({ commands, recorder, signal, caller, callee, plannedAt }: CallOptions): Promise<void> {
  const incoming = callee.next('call:incoming', commands.timeoutMs);
  const call = { recipient_id: callee.id, call_type: 'voice' } as const;
  const initiated = await commands.give(caller, 'call:initiate', call, plannedAt);
  if (!initiated) {
    incoming.cancel();
    return;
  }
  const call_id = initiated.call._id;
  if (await incoming.told) recorder.answered('→ call:incoming', plannedAt);
  else recorder.failed('→ call:incoming', 'timeout', plannedAt);
  await commands.give(callee, 'call:ringing', { call_id }, performance.now());
  if (await commands.give(callee, 'call:accept', { call_id }, performance.now())) {
    await Promise.all([signalsTo(callee, caller), signalsTo(caller, callee)]);
    await pause(TALK_MS, undefined, { signal }).catch(() => {});
  }
  await commands.give(caller, 'call:end', { call_id }, performance.now());

  async function signalsTo(to: User, from: User): Promise<void> {
    const all = [DESCRIPTION, ...Array.from({ length: CANDIDATES }, () => CANDIDATE)];
    await Promise.all(
      all.map((content) => {
        const at = performance.now();
        return commands.give(from, 'call:signal', { call_id, to_user_id: to.id, signal: { ...content, at } }, at);
      }),
    );
  }
}

/**
 * Applies events to stored calls. Each change is one conditional update on the version that was read: of events that race,
 * on one node or several, exactly one wins, and the table judges the others by what the winner left.
 */
import type { Bus } from '../bus/bus.ts';
import { ContractError, notFound } from '../lib/errors.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { announceUpdate } from './announce.ts';
import type { Call } from './call.ts';
import { overdue } from './deadline.ts';
import type { CallEvent } from './event.ts';
import { transition } from './machine.ts';
import type { CallStore } from './store.ts';

export interface ChangesOptions {
  store: Pick<CallStore, 'find' | 'advance'>;
  bus: Bus;
  /** How many users may be in a group's call at once. */
  max: number;
  clock(): Date;
}

export interface Changes {
  /**
   * Applies an event, after every deadline that has passed.
   * @param actor the socket that acts: it gets the acknowledgement instead of the event
   * @param dueAt when the answer is due, by `performance.now()`; never by default
   * @returns the call afterwards
   * @throws ContractError `not_found` for an unknown call; `conflict`, `forbidden` or `busy` as the table says;
   *   `unavailable` for what comes too late
   */
  apply(callId: string, event: CallEvent, actor?: string, dueAt?: number): Promise<Call>;
  /** Applies the deadlines that have passed, and nothing else. */
  applyOverdue(callId: string): Promise<Call>;
}

export function createChanges({ store, bus, max, clock }: ChangesOptions): Changes {
  /** On one node, changes to a call queue here instead of racing in the store. */
  const queue = createKeyedQueue('calls');

  async function advance(call: Call): Promise<boolean> {
    try {
      return await store.advance(call);
    } catch (error) {
      // The unique index on seats: the user who takes a seat already has one in another call.
      if (isDuplicateKey(error)) throw new ContractError('busy', 'you are in another call');
      throw error;
    }
  }

  async function change(callId: string, event?: CallEvent, actor?: string): Promise<Call> {
    for (;;) {
      const call = await store.find(callId);
      if (!call) throw notFound('no such call');
      const now = clock();
      // The stored deadline decides, whether or not a sweeper has come by: a late answer meets a missed call.
      const deadline = overdue(call, now);
      const next = deadline?.event ?? event;
      if (!next) return call;
      const outcome = transition(call, next, deadline?.at ?? now, max);
      if (outcome.kind === 'refused') throw new ContractError(outcome.code, outcome.message);
      if (outcome.kind === 'unchanged') return call;
      if (!(await advance(outcome.call))) continue;
      announceUpdate(bus, outcome.call, outcome.notices, deadline ? undefined : actor);
      if (!deadline) return outcome.call;
    }
  }

  return {
    apply: (callId, event, actor, dueAt) => queue.run(callId, () => change(callId, event, actor), dueAt),
    applyOverdue: (callId) => queue.run(callId, () => change(callId)),
  };
}

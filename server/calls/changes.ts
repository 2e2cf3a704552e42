/**
 * Carries an event through the state machine into the database, and tells what came of it. Of events that race, on
 * this node or several, each sees what the one before it left: the update is conditional on the version it looked at.
 */
import { isDuplicateKey } from '../model/failures.ts';
import { ContractError, notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import { type Call, type Notice, nextDue } from './call.ts';
import type { CallStore } from './call-store.ts';
import { toWireCall } from './call-view.ts';
import { stateOf } from '../model/state.ts';
import { type CallEvent, transition } from './machine.ts';

export interface ChangesOptions {
  store: Pick<CallStore, 'find' | 'advance'>;
  bus: Bus;
  /** How many may be in a group's call at once. */
  max: number;
  clock(): Date;
}

export interface Changes {
  /**
   * @param event what happens, or undefined to let only the time that has passed take effect
   * @param actor the socket that acts: it has the acknowledgement instead of the event
   * @returns the call as it is afterwards
   * @throws ContractError `not_found` for an unknown call; `conflict`, `forbidden` or `busy` as the table says
   */
  apply(callId: string, event: CallEvent | undefined, actor?: string): Promise<Call>;
  /** Tells what became of a call. */
  tell(call: Call, notices: Notice[], actor?: string): void;
}

export function createChanges({ store, bus, max, clock }: ChangesOptions): Changes {
  /** The last change under way of each call on this node: they queue here rather than race each other in the store. */
  const lines = new Map<string, Promise<unknown>>();

  function inLine<T>(callId: string, work: () => Promise<T>): Promise<T> {
    const mine = (lines.get(callId) ?? Promise.resolve()).then(work, work);
    lines.set(callId, mine);
    const leave = () => {
      if (lines.get(callId) === mine) lines.delete(callId);
    };
    mine.then(leave, leave);
    return mine;
  }

  function tell(call: Call, notices: Notice[], actor?: string): void {
    const wire = toWireCall(call);
    for (const { to, reason, user_id } of notices) {
      const payload = { call: wire, reason, ...(user_id === undefined ? {} : { user_id }) };
      bus.emit({ users: to }, 'call:updated', payload, { socket: actor }, stateOf('call', call.id, call.version));
    }
  }

  async function step(callId: string, event: CallEvent | undefined, actor?: string): Promise<Call> {
    for (;;) {
      const call = await store.find(callId);
      if (!call) throw notFound('no such call');
      const now = clock();
      const due = nextDue(call);
      // What time has done comes first, whether or not a sweeper has come by: the stored deadline decides.
      const overdue = due && due.at <= now ? due : undefined;
      const next = overdue?.event ?? event;
      if (!next) return call;
      const outcome = transition(call, next, overdue?.at ?? now, max);
      if (outcome.kind === 'refused') throw new ContractError(outcome.code, outcome.message);
      if (outcome.kind === 'unchanged') return call;
      if (!(await advance(outcome.call))) continue;
      tell(outcome.call, outcome.notices, overdue ? undefined : actor);
      if (!overdue) return outcome.call;
    }
  }

  async function advance(call: Call): Promise<boolean> {
    try {
      return await store.advance(call);
    } catch (error) {
      // The unique index on seats: whoever comes in is in another call.
      if (isDuplicateKey(error)) throw new ContractError('busy', 'you are in another call');
      throw error;
    }
  }

  return { apply: (callId, event, actor) => inLine(callId, () => step(callId, event, actor)), tell };
}

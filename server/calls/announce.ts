/** Tells devices of calls. Events carry the version, so that an older state never follows a newer one. */
import type { PublicUser } from '../../shared/contract/documents.ts';
import type { Bus } from '../bus/bus.ts';
import { stateOf } from '../model/state.ts';
import type { Call, Notice } from './call.ts';
import { toWireCall } from './view.ts';

/** Rings at all devices of the callees. */
export function announceIncoming(bus: Bus, call: Call, from: PublicUser): void {
  const payload = { call: toWireCall(call), from };
  bus.emit({ users: call.ringing_ids }, 'call:incoming', payload, undefined, stateOf('call', call.id, call.version));
}

/**
 * Sends one `call:updated` for each notice.
 * @param actor the socket that acted: it gets the acknowledgement instead of the event
 */
export function announceUpdate(bus: Bus, call: Call, notices: Notice[], actor?: string): void {
  const wire = toWireCall(call);
  for (const { to, reason, user_id } of notices) {
    const payload = { call: wire, reason, ...(user_id === undefined ? {} : { user_id }) };
    const except = { socket: actor, ...(user_id === undefined ? {} : { by: user_id }) };
    bus.emit({ users: to }, 'call:updated', payload, except, stateOf('call', call.id, call.version));
  }
}

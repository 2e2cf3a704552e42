import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { CurrentView } from './views.ts';

/** Sends a conversation as it is now to the caller's other devices. */
export function tellOwnDevices(bus: Bus, caller: Caller, { conversation, state }: CurrentView): void {
  bus.emit({ users: [caller.id] }, 'conversation:updated', { conversation }, { socket: caller.socketId }, state);
}

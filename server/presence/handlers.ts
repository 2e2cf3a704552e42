import type { Handlers } from '../gateway/dispatch.ts';
import type { PresenceService } from './presence.ts';

/** The handlers of presence: each one call. */
export function presenceHandlers(presence: PresenceService): Pick<Handlers, 'presence:set' | 'presence:get'> {
  return {
    'presence:set': (caller, payload) => presence.set(caller, payload),
    'presence:get': (caller, { user_ids }) => presence.get(caller, user_ids),
  };
}

import type { CommandName } from '../../shared/contract/index.ts';
import type { Handlers } from '../gateway/dispatch.ts';
import type { Contacts } from './contacts.ts';
import type { Profiles } from './profiles.ts';

/** The handlers of contacts and users: each one call. */
export function contactHandlers(
  contacts: Contacts,
  profiles: Profiles,
): Pick<Handlers, Extract<CommandName, `contact:${string}` | `user:${string}`>> {
  return {
    'contact:request': contacts.request,
    'contact:accept': contacts.accept,
    'contact:reject': contacts.reject,
    'contact:remove': contacts.remove,
    'contact:block': contacts.block,
    'contact:unblock': contacts.unblock,
    'contact:update': contacts.update,
    'contact:list': contacts.list,
    'user:search': profiles.search,
    'user:get': profiles.get,
  };
}

import type { CommandName } from '../../shared/contract/index.ts';
import type { Handlers } from '../gateway/dispatch.ts';
import type { Groups } from './groups.ts';

/** The handlers of groups: each one call. */
export function groupHandlers(groups: Groups): Pick<Handlers, Extract<CommandName, `group:${string}`>> {
  return {
    'group:create': groups.create,
    'group:get': groups.get,
    'group:list': groups.list,
    'group:update': groups.update,
    'group:add_members': groups.addMembers,
    'group:remove_member': groups.removeMember,
    'group:leave': groups.leave,
    'group:set_admin': groups.setAdmin,
    'group:delete': groups.remove,
  };
}

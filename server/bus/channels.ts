import type { Operation } from './operations.ts';
import { groupRoom, sessionRoom, userRoom } from './rooms.ts';

/** The channel that every node is subscribed to. */
export const EVERYBODY = 'all';

/**
 * The channels on which an operation reaches every node that has a recipient: one for each room. An event for one
 * socket stays on the node that emits it.
 */
export function channelsOf(operation: Operation): string[] {
  switch (operation.kind) {
    case 'event': {
      const { to } = operation;
      if ('users' in to) return to.users.map(userRoom);
      if ('group' in to) return [groupRoom(to.group)];
      return 'session' in to ? [sessionRoom(to.session)] : [];
    }
    case 'changes':
    case 'heal': {
      const { conversation } = operation;
      return conversation.kind === 'group' ? [groupRoom(conversation.group_id)] : conversation.user_ids.map(userRoom);
    }
    case 'forget':
      return [EVERYBODY];
    case 'membership':
    case 'push_user':
    case 'view':
      return [userRoom(operation.user_id)];
    case 'revoked':
      return operation.session_ids.map(sessionRoom);
  }
}

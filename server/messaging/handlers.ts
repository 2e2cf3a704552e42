import type { Handlers } from '../gateway/dispatch.ts';
import type { History } from './history.ts';
import type { Messages } from './messages.ts';

type MessageCommands = 'message:send' | 'message:edit' | 'message:delete' | 'message:react' | 'message:history';

/** The handlers of messages: each one call. */
export function messageHandlers(messages: Messages, history: History): Pick<Handlers, MessageCommands> {
  return {
    'message:send': messages.send,
    'message:edit': messages.edit,
    'message:delete': messages.remove,
    'message:react': messages.react,
    'message:history': history.page,
  };
}

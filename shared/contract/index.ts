/** The whole socket contract: every command and every event, once. */
import { callCommands, callEvents } from './calls.ts';
import { contactCommands, contactEvents } from './contacts.ts';
import { conversationCommands, conversationEvents } from './conversations.ts';
import type { DataOf, PayloadOf } from './define.ts';
import type { Ack } from './errors.ts';
import { groupCommands, groupEvents } from './groups.ts';
import { messageCommands, messageEvents } from './messages.ts';
import { presenceCommands, presenceEvents } from './presence.ts';
import { pushCommands } from './push.ts';
import { sessionCommands, sessionEvents } from './session.ts';
import { threadCommands, threadEvents } from './threads.ts';

export const commands = {
  ...sessionCommands,
  ...messageCommands,
  ...threadCommands,
  ...conversationCommands,
  ...contactCommands,
  ...presenceCommands,
  ...groupCommands,
  ...callCommands,
  ...pushCommands,
};

export const events = {
  ...sessionEvents,
  ...messageEvents,
  ...threadEvents,
  ...conversationEvents,
  ...contactEvents,
  ...presenceEvents,
  ...groupEvents,
  ...callEvents,
};

export type CommandName = keyof typeof commands;
export type EventName = keyof typeof events;
export type CommandPayload<N extends CommandName> = PayloadOf<(typeof commands)[N]>;
export type CommandData<N extends CommandName> = DataOf<(typeof commands)[N]>;
export type EventPayload<N extends EventName> = PayloadOf<(typeof events)[N]>;

/** For `new Server<ClientToServerEvents, ServerToClientEvents>` and the client's `Socket`. */
export type ClientToServerEvents = {
  [N in CommandName]: (payload: CommandPayload<N>, acknowledge?: (result: Ack<CommandData<N>>) => void) => void;
};
export type ServerToClientEvents = { [N in EventName]: (payload: EventPayload<N>) => void };

/** What each planned action does. */
import type { CommandName, CommandPayload } from '../../shared/contract/index.ts';
import { type CallOptions, callOnce } from './calls.ts';
import type { Action } from './mixes.ts';
import type { Room } from './room.ts';
import type { User } from './user.ts';

type Act = (room: Room, user: User, plannedAt: number) => Promise<unknown>;

const TEXT = 'A message of usual length, as people write them: some words, no more.';
const STATUSES = ['online', 'away', 'busy'] as const;

export interface ActionContext extends Pick<CallOptions, 'commands' | 'recorder' | 'signal'> {
  /** All rooms of the process: those who are to call while they talk leave it to others. */
  rooms: Room[];
}

export function createActions({ commands, recorder, signal, rooms }: ActionContext): Record<Action, Act> {
  let statusesSet = 0;

  /** An action that is one command. */
  function command<N extends CommandName>(name: N, payload: (room: Room, user: User) => CommandPayload<N>): Act {
    return (room, user, plannedAt) => commands.give(user, name, payload(room, user), plannedAt);
  }

  return {
    async send(room, user, plannedAt) {
      const { number, clientMessageId } = room.ledger.begin(room.users.indexOf(user), plannedAt);
      const payload = { ...room.target(user), content: TEXT, client_message_id: clientMessageId };
      const data = await commands.give(user, 'message:send', payload, plannedAt);
      if (!data) return;
      room.ledger.acknowledged(number, data.message);
      user.acknowledged(data.message, data.duplicate === true);
    },
    typing: command('typing:start', (room, user) => room.target(user)),
    history: command('message:history', (room, user) => room.target(user)),
    'presence:get': command('presence:get', ({ users }) => ({ user_ids: users.map(({ id }) => id) })),
    'presence:set': command('presence:set', () => ({ status: STATUSES[statusesSet++ % STATUSES.length]! })),
    'call:history': command('call:history', () => ({})),
    async reconnection(_room, user, plannedAt) {
      if (user.isBack()) user.reconnect(plannedAt);
      else recorder.notBegun('reconnection', 'not_connected');
    },
    async call(drawn, user, plannedAt) {
      const room = drawn.isInCall ? rooms.find(({ isInCall }) => !isInCall) : drawn;
      if (!room) {
        recorder.notBegun('call:initiate', 'in_call');
        return;
      }
      const caller = room === drawn ? user : room.users[0]!;
      const callee = room.users.find((other) => other !== caller)!;
      room.isInCall = true;
      await callOnce({ commands, recorder, signal, caller, callee, plannedAt });
      room.isInCall = false;
    },
  };
}

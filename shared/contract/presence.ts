import Type from 'typebox';
import { command, event, listOf } from './define.ts';
import { PRESENCE_STATUSES, Presence } from './documents.ts';
import { BOB, presence } from './examples.ts';
import { Closed, DeviceInfo, Id, OneOf } from './values.ts';

const Changed = Type.Object({ presence: Presence });

export const presenceCommands = {
  'presence:set': command({
    summary: 'How available the caller is on this device; `offline` appears offline.',
    payload: Closed({
      status: OneOf(PRESENCE_STATUSES),
      custom_status: Type.Optional(Type.String({ maxLength: 140 })),
      device_info: Type.Optional(DeviceInfo),
    }),
    data: Changed,
    sheddable: true,
    device_only: true,
    example: { payload: { status: 'away', custom_status: 'Back at noon' }, data: { presence } },
  }),
  'presence:get': command({
    summary: 'The presence of users, in the order asked; `offline` for those whose presence the caller may not see.',
    payload: Closed({ user_ids: Type.Array(Id, { maxItems: 200 }) }),
    data: Type.Object({ presences: Type.Array(Presence) }),
    cost: listOf('user_ids', 400),
    sheddable: true,
    example: { payload: { user_ids: [BOB] }, data: { presences: [presence] } },
  }),
};

export const presenceEvents = {
  'presence:changed': event({
    summary: 'The presence of an accepted contact changed.',
    payload: Changed,
    example: { presence },
  }),
};

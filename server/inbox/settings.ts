/** `conversation:update` (PROTOCOL section 4): what a user sets for a conversation, seen by that user alone. */
import type { UpdateFilter } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents.ts';
import { notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { InTurn } from './turns.ts';
import type { ConversationViews } from './views.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

export interface ConversationSettings {
  /** @throws ContractError `not_found` where nothing was ever written between the two, or the caller is not in the group */
  update(caller: Caller, payload: CommandPayload<'conversation:update'>): Promise<{ conversation: Conversation }>;
}

export interface ConversationSettingsOptions {
  collections: Collections;
  access: AccessRules;
  views: ConversationViews;
  bus: Bus;
  inTurn: InTurn;
  clock(): Date;
}

export function createConversationSettings(options: ConversationSettingsOptions): ConversationSettings {
  const { collections, access, views, bus, inTurn, clock } = options;

  async function write(
    caller: Caller,
    id: string,
    { muted_until, pinned, archived }: CommandPayload<'conversation:update'>,
  ) {
    const set: Partial<MembershipDocument> = {
      ...(muted_until ? { muted_until: new Date(muted_until) } : {}),
      ...(pinned === undefined ? {} : { pinned }),
      ...(archived === undefined ? {} : { archived }),
    };
    const update: UpdateFilter<MembershipDocument> = {
      $set: { ...set, changed_at: clock() },
      $inc: { version: 1 },
      ...(muted_until === null ? { $unset: { muted_until: true } } : {}),
    };
    await collections.memberships.updateOne({ user_id: caller.userId, conversation_id: id }, update);
  }

  async function update(caller: Caller, payload: CommandPayload<'conversation:update'>) {
    const { conversation: ref } = await access.enter(caller.id, payload);
    const before = await views.one(caller.userId, ref.id);
    if (!before) throw notFound('no such conversation');
    const { muted_until, pinned, archived } = payload;
    if (muted_until === undefined && pinned === undefined && archived === undefined) {
      return { conversation: before.conversation };
    }
    await write(caller, ref.id, payload);
    const { conversation, state } = (await views.one(caller.userId, ref.id)) ?? before;
    bus.emit({ users: [caller.id] }, 'conversation:updated', { conversation }, { socket: caller.socketId }, state);
    return { conversation };
  }

  return { update: (caller, payload) => inTurn(caller, payload, () => update(caller, payload)) };
}

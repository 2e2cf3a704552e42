/** `conversation:update`: a user's own settings of a conversation, which nobody else sees. */
import type { UpdateFilter } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Caller } from '../dispatch/caller.ts';
import { notFound } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { ConversationViews } from './views.ts';

type Payload = CommandPayload<'conversation:update'>;

export interface UpdateConversationOptions {
  collections: Pick<Collections, 'memberships'>;
  access: AccessRules;
  views: ConversationViews;
  bus: Bus;
  clock(): Date;
}

export function createUpdateConversation(options: UpdateConversationOptions) {
  const { collections, access, views, bus, clock } = options;

  /** @throws ContractError `not_found` if nothing was ever written in the pair, or the caller is not in the group */
  return async (caller: Caller, payload: Payload): Promise<{ conversation: Conversation }> => {
    const { conversation } = await access.enter(caller.id, payload);
    const before = await views.current(caller.userId, conversation.id);
    if (!before) throw notFound('no such conversation');
    const { muted_until, pinned, archived } = payload;
    if (muted_until === undefined && pinned === undefined && archived === undefined) {
      return { conversation: before.conversation };
    }
    await collections.memberships.updateOne(
      { user_id: caller.userId, conversation_id: conversation.id },
      settingsUpdate(payload, clock()),
    );
    const after = (await views.current(caller.userId, conversation.id)) ?? before;
    const { conversation: changed, state } = after;
    bus.emit(
      { users: [caller.id] },
      'conversation:updated',
      { conversation: changed },
      { socket: caller.socketId },
      state,
    );
    return { conversation: after.conversation };
  };
}

function settingsUpdate({ muted_until, pinned, archived }: Payload, at: Date): UpdateFilter<MembershipDocument> {
  return {
    $set: {
      changed_at: at,
      ...(muted_until ? { muted_until: new Date(muted_until) } : {}),
      ...(pinned === undefined ? {} : { pinned }),
      ...(archived === undefined ? {} : { archived }),
    },
    $inc: { version: 1 },
    ...(muted_until === null ? { $unset: { muted_until: true } } : {}),
  };
}

/** `conversation:update`: a user's own settings of a conversation, which nobody else sees. */
import type { ObjectId, UpdateFilter } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Caller } from '../dispatch/caller.ts';
import { notFound } from '../lib/errors.ts';
import { upsert } from '../model/batches.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { ConversationViews } from './views.ts';

type Payload = CommandPayload<'conversation:update'>;

export interface UpdateConversationOptions {
  collections: Pick<Collections, 'memberships' | 'drafts'>;
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
    const { muted_until, pinned, archived, draft } = payload;
    if ([muted_until, pinned, archived, draft].every((setting) => setting === undefined)) {
      return { conversation: before.conversation };
    }
    const at = clock();
    if (draft !== undefined) await keepDraft(collections.drafts, caller.userId, conversation.id, draft, at);
    await collections.memberships.updateOne(
      { user_id: caller.userId, conversation_id: conversation.id },
      settingsUpdate(payload, at),
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

/** An empty draft is no draft. */
async function keepDraft(
  drafts: Collections['drafts'],
  user_id: ObjectId,
  conversation_id: string,
  content: string | null,
  updated_at: Date,
): Promise<void> {
  const filter = { user_id, conversation_id };
  if (content) await upsert(drafts, { filter, update: { $set: { content, updated_at } } });
  else await drafts.deleteOne(filter);
}

function settingsUpdate({ muted_until, pinned, archived, draft }: Payload, at: Date): UpdateFilter<MembershipDocument> {
  const $unset: Record<string, true> = {};
  if (muted_until === null) $unset.muted_until = true;
  if (draft === null || draft === '') $unset.draft_bytes = true;
  return {
    $set: {
      changed_at: at,
      ...(muted_until ? { muted_until: new Date(muted_until) } : {}),
      ...(pinned === undefined ? {} : { pinned }),
      ...(archived === undefined ? {} : { archived }),
      ...(draft ? { draft_bytes: Buffer.byteLength(JSON.stringify(draft)) } : {}),
    },
    $inc: { version: 1 },
    ...(Object.keys($unset).length > 0 ? { $unset } : {}),
  };
}

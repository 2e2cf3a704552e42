/** Webhooks (PROTOCOL section 14): how they are set up, and what they are sent. */
import Type, { type Static } from 'typebox';
import { Call, Group, Message, PublicUser } from './documents.ts';
import { GROUP_REASONS } from './groups.ts';
import { Closed, ConversationId, Id, OneOf, Seq, Timestamp } from './values.ts';

/** What a webhook can be told. */
export const WEBHOOK_TYPES = ['message.new', 'message.updated', 'group.updated', 'call.ended', 'user.updated'] as const;
export const WebhookType = OneOf(WEBHOOK_TYPES);
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

export const WebhookParams = Closed({ name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) });
export const WebhookBody = Closed({
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  /** All of them without it. */
  types: Type.Optional(Type.Array(WebhookType, { minItems: 1, uniqueItems: true, maxItems: WEBHOOK_TYPES.length })),
  rotate_secret: Type.Optional(Type.Boolean()),
});
export type WebhookBody = Static<typeof WebhookBody>;
export const ReplayBody = Closed({
  conversation_id: ConversationId,
  after_rev: Seq,
});

export const Webhook = Type.Object({
  name: Type.String(),
  url: Type.String(),
  types: Type.Array(WebhookType),
  created_at: Timestamp,
  /** `failing`: the last attempt of any conversation was not taken. */
  state: OneOf(['ok', 'failing']),
  last_error: Type.Optional(Type.String()),
  /** How much waits. */
  behind: Type.Integer(),
});
export type Webhook = Static<typeof Webhook>;
/** `secret` only when it is made or rotated. */
export const WebhookAnswer = Type.Object({ webhook: Webhook, secret: Type.Optional(Type.String()) });
export const WebhookList = Type.Object({ webhooks: Type.Array(Webhook) });

const MessageData = Type.Object({
  message: Message,
  conversation: Type.Object({
    conversation_id: Type.String(),
    kind: OneOf(['direct', 'group']),
    user_ids: Type.Optional(Type.Array(Id)),
    group_id: Type.Optional(Id),
  }),
});

/** The `data` of what a webhook is sent, by type. */
export const WebhookData = {
  'message.new': MessageData,
  'message.updated': MessageData,
  'group.updated': Type.Object({
    group: Group,
    reason: OneOf(GROUP_REASONS),
    actor_id: Id,
    user_ids: Type.Optional(Type.Array(Id)),
  }),
  'call.ended': Type.Object({ call: Call }),
  'user.updated': Type.Object({ user: PublicUser }),
} satisfies Record<WebhookType, unknown>;
export type WebhookData<T extends WebhookType> = Static<(typeof WebhookData)[T]>;

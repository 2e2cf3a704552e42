/** The documents as they go over the wire: the definitions of `letsapp.schema.json` plus what the protocol adds. */
import Type, { type Static } from 'typebox';
import { ConversationId, DeviceInfo, Id, Metadata, Nullable, OneOf, Seq, Timestamp } from './values.ts';

export const Settings = Type.Object({
  notifications_enabled: Type.Optional(Type.Boolean()),
  read_receipts_enabled: Type.Optional(Type.Boolean()),
  typing_indicators_enabled: Type.Optional(Type.Boolean()),
});

const publicUser = {
  _id: Id,
  username: Type.String(),
  full_name: Nullable(Type.String()),
  profile_picture: Nullable(Type.String()),
  bio: Type.String(),
  is_active: Type.Boolean(),
  created_at: Timestamp,
  /** True for bots; left out otherwise. */
  is_bot: Type.Optional(Type.Boolean()),
};

export const PublicUser = Type.Object({ ...publicUser, last_seen: Type.Optional(Timestamp) });
export type PublicUser = Static<typeof PublicUser>;

/** What a user's own sessions see: everything but the password and its history. */
export const Self = Type.Object({
  ...publicUser,
  email: Type.String(),
  updated_at: Timestamp,
  last_seen: Timestamp,
  settings: Settings,
  last_password_change: Type.Optional(Timestamp),
});
export type Self = Static<typeof Self>;

/** What the operator's own back end sees of a user. */
export const ServerUser = Type.Object({
  ...Self.properties,
  /** Left out for users who registered themselves. */
  external_id: Type.Optional(Type.String()),
  is_bot: Type.Boolean(),
  metadata: Type.Optional(Metadata),
});
export type ServerUser = Static<typeof ServerUser>;

export const MESSAGE_TYPES = ['text', 'image', 'audio', 'video', 'document'] as const;
export const MessageType = OneOf(MESSAGE_TYPES);

const message = {
  _id: Id,
  conversation_id: ConversationId,
  seq: Seq,
  rev: Seq,
  sender_id: Id,
  content: Type.String(),
  message_type: MessageType,
  attachment: Nullable(Type.Object({ media_id: Id })),
  created_at: Timestamp,
  updated_at: Timestamp,
  is_deleted: Type.Boolean(),
  client_message_id: Type.Optional(Type.String()),
  edited_at: Type.Optional(Timestamp),
  reply_to: Type.Optional(Id),
  thread_id: Type.Optional(Id),
  in_conversation: Type.Optional(Type.Literal(true)),
  thread: Type.Optional(
    Type.Object({
      reply_count: Type.Integer({ minimum: 1 }),
      last_reply_at: Timestamp,
      user_ids: Type.Array(Id, { maxItems: 5 }),
    }),
  ),
  mentions: Type.Optional(
    Type.Object({ user_ids: Type.Optional(Type.Array(Id)), everyone: Type.Optional(Type.Literal(true)) }),
  ),
  forwarded: Type.Optional(Type.Object({ count: Type.Integer({ minimum: 1 }) })),
  pinned: Type.Optional(Type.Object({ by: Id, at: Timestamp })),
  metadata: Type.Optional(Metadata),
  reactions: Type.Optional(
    Type.Array(
      Type.Object({
        emoji: Type.String(),
        user_ids: Type.Array(Id, { maxItems: 1024 }),
        count: Type.Optional(Type.Integer({ minimum: 1 })),
      }),
    ),
  ),
};

export const PairMessage = Type.Object({
  ...message,
  recipient_id: Id,
  status: OneOf(['sent', 'delivered', 'read']),
});
export type PairMessage = Static<typeof PairMessage>;

export const GroupMessage = Type.Object({ ...message, group_id: Id, read_by: Type.Array(Id) });
export type GroupMessage = Static<typeof GroupMessage>;

export const Message = Type.Union([PairMessage, GroupMessage]);
export type Message = Static<typeof Message>;

/** What a group lets its members do, or its admins alone. */
export const GROUP_ACTIONS = ['send', 'add_members', 'edit_info', 'pin', 'mention_everyone', 'react'] as const;
export type GroupAction = (typeof GROUP_ACTIONS)[number];
/** Who may do something in a group. */
export const Permitted = OneOf(['member', 'admin']);
export const Permissions = Type.Object({
  send: Permitted,
  add_members: Permitted,
  edit_info: Permitted,
  pin: Permitted,
  mention_everyone: Permitted,
  react: Permitted,
});
export type Permissions = Static<typeof Permissions>;

export const Group = Type.Object({
  _id: Id,
  name: Type.String(),
  description: Nullable(Type.String()),
  icon: Nullable(Type.String()),
  creator_id: Id,
  members: Type.Array(Id),
  admins: Type.Array(Id),
  metadata: Type.Optional(Metadata),
  permissions: Permissions,
  slow_mode_s: Type.Integer({ minimum: 0 }),
  created_at: Timestamp,
  updated_at: Timestamp,
  is_active: Type.Boolean(),
});
export type Group = Static<typeof Group>;

export const Invite = Type.Object({
  invite_id: Id,
  code: Type.String(),
  url: Type.Optional(Type.String()),
  created_by: Id,
  created_at: Timestamp,
  expires_at: Type.Optional(Timestamp),
  max_uses: Type.Optional(Type.Integer({ minimum: 1 })),
  uses: Type.Integer({ minimum: 0 }),
  approval: Type.Boolean(),
});
export type Invite = Static<typeof Invite>;

export const Receipt = Type.Object({ user_id: Id, delivered_seq: Seq, read_seq: Seq });
export type Receipt = Static<typeof Receipt>;

export const Conversation = Type.Object({
  conversation_id: ConversationId,
  kind: OneOf(['direct', 'group']),
  peer: Type.Optional(PublicUser),
  group: Type.Optional(Group),
  last_message: Nullable(Message),
  last_seq: Seq,
  rev: Seq,
  unread_count: Seq,
  mention_count: Seq,
  receipts: Type.Array(Receipt),
  muted_until: Type.Optional(Nullable(Timestamp)),
  pinned: Type.Optional(Type.Boolean()),
  archived: Type.Optional(Type.Boolean()),
  draft: Type.Optional(Type.Object({ content: Type.String(), updated_at: Timestamp })),
  updated_at: Timestamp,
});
export type Conversation = Static<typeof Conversation>;

export const CONTACT_STATUSES = ['pending', 'accepted', 'blocked'] as const;
export const Contact = Type.Object({
  _id: Id,
  user_id: Id,
  contact_id: Id,
  status: OneOf(CONTACT_STATUSES),
  direction: Type.Optional(OneOf(['out', 'in'])),
  created_at: Timestamp,
  updated_at: Timestamp,
  notes: Type.Optional(Type.String()),
  is_favorite: Type.Optional(Type.Boolean()),
  user: PublicUser,
});
export type Contact = Static<typeof Contact>;

export const PRESENCE_STATUSES = ['online', 'away', 'busy', 'offline'] as const;
export const Presence = Type.Object({
  _id: Id,
  user_id: Id,
  status: OneOf(PRESENCE_STATUSES),
  last_active: Timestamp,
  custom_status: Type.Optional(Type.String()),
  device_info: Type.Optional(DeviceInfo),
});
export type Presence = Static<typeof Presence>;

export const CALL_TYPES = ['voice', 'video'] as const;
export const CALL_STATUSES = ['initiated', 'ringing', 'ongoing', 'ended', 'missed', 'rejected'] as const;
export const Call = Type.Object({
  _id: Id,
  caller_id: Id,
  recipient_id: Type.Optional(Id),
  group_id: Type.Optional(Id),
  call_type: OneOf(CALL_TYPES),
  started_at: Timestamp,
  ended_at: Type.Optional(Timestamp),
  status: OneOf(CALL_STATUSES),
  duration: Type.Integer({ minimum: 0 }),
  participants: Type.Array(Type.Object({ user_id: Id, joined_at: Timestamp, left_at: Type.Optional(Timestamp) })),
  metadata: Type.Record(Type.String(), Type.Unknown()),
});
export type Call = Static<typeof Call>;

const upload = {
  _id: Id,
  filename: Type.String(),
  original_filename: Type.String(),
  file_size: Type.Integer({ minimum: 0 }),
  mime_type: Type.String(),
  uploader_id: Id,
  message_id: Type.Optional(Id),
  group_message_id: Type.Optional(Id),
  created_at: Timestamp,
  is_deleted: Type.Boolean(),
};

export const Media = Type.Object({
  ...upload,
  media_type: OneOf(['image', 'video', 'audio']),
  duration: Type.Optional(Type.Number()),
  thumbnail: Type.Optional(Type.String()),
  width: Type.Optional(Type.Number()),
  height: Type.Optional(Type.Number()),
  view_count: Type.Integer({ minimum: 0 }),
  optimized: Type.Optional(Type.Boolean()),
});
export type Media = Static<typeof Media>;

export const File = Type.Object({ ...upload, download_count: Type.Integer({ minimum: 0 }) });
export type File = Static<typeof File>;

export const IceServer = Type.Object({
  urls: Type.Union([Type.String(), Type.Array(Type.String())]),
  username: Type.Optional(Type.String()),
  credential: Type.Optional(Type.String()),
});
export type IceServer = Static<typeof IceServer>;

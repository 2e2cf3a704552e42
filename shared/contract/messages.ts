import Type from 'typebox';
import { command, event } from './define.ts';
import { Message, MessageType } from './documents.ts';
import {
  Bytes,
  Closed,
  ConversationId,
  Empty,
  Id,
  Limit,
  OptionallyTargeted,
  Seq,
  Targeted,
  Timestamp,
} from './values.ts';

/** Longest text of a message, in bytes of UTF-8. */
export const MAX_CONTENT_BYTES = 16 * 1024;

const Content = Bytes(MAX_CONTENT_BYTES);
const Changed = Type.Object({ message: Message });
const Page = Type.Object({ messages: Type.Array(Message), has_more: Type.Boolean() });
const UpTo = Targeted({ up_to_seq: Seq });

export const messageCommands = {
  'message:send': command(
    'Stores a message and tells every other device of sender and recipients. Idempotent by `client_message_id`.',
    Targeted({
      content: Content,
      message_type: Type.Optional(MessageType),
      attachment: Type.Optional(Type.Union([Closed({ media_id: Id }), Type.Null()])),
      client_message_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
      reply_to: Type.Optional(Id),
    }),
    Type.Object({ message: Message, duplicate: Type.Optional(Type.Literal(true)) }),
    'message',
  ),
  'message:edit': command(
    'Replaces the text or caption of an own message.',
    Closed({ message_id: Id, content: Content }),
    Changed,
    'message',
  ),
  'message:delete': command(
    'Turns a message into a tombstone (its sender; in a group also an admin).',
    Closed({ message_id: Id }),
    Changed,
    'message',
  ),
  'message:react': command(
    'Adds or removes the own reaction.',
    Closed({ message_id: Id, emoji: Bytes(32, 1), remove: Type.Optional(Type.Boolean()) }),
    Changed,
    'message',
  ),
  'message:history': command(
    'A page of messages, ascending by `seq`; the newest page without bounds.',
    Targeted(
      { before_seq: Type.Optional(Seq), after_seq: Type.Optional(Seq), limit: Limit(200) },
      {
        allOf: [{ not: { required: ['before_seq', 'after_seq'] } }],
      },
    ),
    Page,
  ),
  'message:search': command(
    "Messages of the caller's conversations that hold all words of the query, newest first.",
    OptionallyTargeted({
      query: Type.String({ minLength: 1, maxLength: 128 }),
      limit: Limit(200),
      before_id: Type.Optional(Id),
    }),
    Page,
  ),
  'message:delivered': command('Marks everything up to `up_to_seq` as delivered to the caller.', UpTo, Empty),
  'message:read': command(
    'Marks everything up to `up_to_seq` as read by the caller.',
    UpTo,
    Type.Object({ unread_count: Seq }),
  ),
  'typing:start': command('Shows the caller as typing, for 6 s at most.', Targeted({}), Empty),
  'typing:stop': command('Shows the caller as no longer typing.', Targeted({}), Empty),
};

export const messageEvents = {
  'message:new': event('A new message, in the order of `rev`.', Changed),
  'message:updated': event('An edit, deletion or reaction, in the order of `rev`.', Changed),
  'message:status': event(
    "A user's marks in a conversation, which only grow.",
    Type.Object({
      conversation_id: ConversationId,
      user_id: Id,
      delivered_seq: Seq,
      read_seq: Seq,
      at: Timestamp,
    }),
  ),
  typing: event(
    'Somebody in a conversation types or stopped typing.',
    Type.Object({ conversation_id: ConversationId, user_id: Id, is_typing: Type.Boolean() }),
  ),
};

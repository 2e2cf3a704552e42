import Type, { type Static } from 'typebox';
import { command, event, FULL_PAGE, pageOf } from './define.ts';
import { Message, MessageType } from './documents.ts';
import { ANN, BOB, CONVERSATION, changedMessage, deletedMessage, LATER, MESSAGE, message, SENT } from './examples.ts';
import {
  Bytes,
  Closed,
  ConversationId,
  Empty,
  Id,
  Limit,
  Metadata,
  OptionallyTargeted,
  Seq,
  Targeted,
  Timestamp,
} from './values.ts';

/** Longest text of a message, in bytes of UTF-8. */
export const MAX_CONTENT_BYTES = 16 * 1024;

const Content = Bytes(MAX_CONTENT_BYTES);
/** Who is mentioned. */
const mentions = {
  user_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 50, uniqueItems: true })),
  everyone: Type.Optional(Type.Literal(true)),
};
const Mentions = Closed(mentions);
export type Mentions = Static<typeof Mentions>;

const Changed = Type.Object({ message: Message });
const Page = Type.Object({ messages: Type.Array(Message), has_more: Type.Boolean() });
/** What a message that is forwarded has from the one that it comes from. */
const FORWARDED_WITHOUT = Object.fromEntries(
  ['content', 'message_type', 'attachment', 'reply_to', 'metadata', 'mentions', 'thread_id', 'in_conversation'].map(
    (name) => [name, false],
  ),
);
const UpTo = Targeted({ up_to_seq: Seq });

export const messageCommands = {
  'message:send': command({
    summary:
      'Stores a message and tells every other device of sender and recipients. Idempotent by `client_message_id`.',
    payload: Targeted(
      {
        content: Type.Optional(Content),
        message_type: Type.Optional(MessageType),
        attachment: Type.Optional(Type.Union([Closed({ media_id: Id }), Type.Null()])),
        client_message_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
        reply_to: Type.Optional(Id),
        metadata: Type.Optional(Metadata),
        mentions: Type.Optional(Closed(mentions, { minProperties: 1 })),
        thread_id: Type.Optional(Id),
        in_conversation: Type.Optional(Type.Literal(true)),
        forward_of: Type.Optional(Id),
      },
      {
        allOf: [
          { if: { required: ['forward_of'] }, else: { required: ['content'] } },
          { if: { not: { required: ['forward_of'] } }, else: { properties: FORWARDED_WITHOUT } },
        ],
      },
    ),
    data: Type.Object({ message: Message, duplicate: Type.Optional(Type.Literal(true)) }),
    rate: 'message',
    errors: ['forbidden', 'not_found'],
    example: {
      payload: { recipient_id: BOB, content: message.content, client_message_id: 'phone-0001' },
      data: { message },
    },
  }),
  'message:edit': command({
    summary: 'Replaces the text or caption of an own message, or its metadata.',
    payload: Closed({
      message_id: Id,
      content: Content,
      metadata: Type.Optional(Metadata),
      mentions: Type.Optional(Mentions),
    }),
    data: Changed,
    rate: 'message',
    errors: ['forbidden', 'not_found', 'conflict'],
    example: { payload: { message_id: MESSAGE, content: changedMessage.content }, data: { message: changedMessage } },
  }),
  'message:delete': command({
    summary: 'Turns a message into a tombstone (its sender; in a group also an admin).',
    payload: Closed({ message_id: Id }),
    data: Changed,
    rate: 'message',
    errors: ['forbidden', 'not_found'],
    example: { payload: { message_id: MESSAGE }, data: { message: deletedMessage } },
  }),
  'message:react': command({
    summary: 'Adds or removes the own reaction.',
    payload: Closed({ message_id: Id, emoji: Bytes(32, 1), remove: Type.Optional(Type.Boolean()) }),
    data: Changed,
    rate: 'message',
    errors: ['forbidden', 'not_found', 'conflict'],
    example: { payload: { message_id: MESSAGE, emoji: '👍' }, data: { message: changedMessage } },
  }),
  'message:mentions': command({
    summary: 'The messages of others that mention the caller, newest first.',
    payload: Closed({ limit: Limit(100), before_id: Type.Optional(Id) }),
    data: Page,
    cost: FULL_PAGE,
    errors: ['not_found'],
    example: {
      payload: {},
      data: { messages: [{ ...message, mentions: { user_ids: [BOB] } }], has_more: false },
    },
  }),
  'message:save': command({
    summary: 'Saves a message for the caller alone, or no longer.',
    payload: Closed({ message_id: Id, saved: Type.Boolean() }),
    data: Type.Object({ saved: Type.Boolean() }),
    errors: ['not_found', 'conflict'],
    example: { payload: { message_id: MESSAGE, saved: true }, data: { saved: true } },
  }),
  'message:saved': command({
    summary: "The caller's saved messages, last saved first.",
    payload: Closed({ limit: Limit(100), before_id: Type.Optional(Id) }),
    data: Page,
    cost: pageOf(100, 50),
    errors: ['not_found'],
    example: { payload: {}, data: { messages: [message], has_more: false } },
  }),
  'message:pin': command({
    summary: 'Pins a message, or takes the pin away: in a pair either side, in a group by permission.',
    payload: Closed({ message_id: Id, pinned: Type.Boolean() }),
    data: Changed,
    errors: ['forbidden', 'not_found', 'conflict'],
    example: {
      payload: { message_id: MESSAGE, pinned: true },
      data: { message: { ...message, rev: 16, pinned: { by: BOB, at: LATER } } },
    },
  }),
  'message:pinned': command({
    summary: 'The pinned messages of a conversation, newest pin first.',
    payload: Targeted({ limit: Limit(100), before_id: Type.Optional(Id) }),
    data: Page,
    cost: pageOf(100, 50),
    errors: ['not_found'],
    example: {
      payload: { recipient_id: BOB },
      data: { messages: [{ ...message, rev: 16, pinned: { by: BOB, at: LATER } }], has_more: false },
    },
  }),
  'message:revisions': command({
    summary: 'What an edited message said before, oldest first; the last 50.',
    payload: Closed({ message_id: Id }),
    data: Type.Object({
      revisions: Type.Array(Type.Object({ content: Type.String(), metadata: Type.Optional(Metadata), at: Timestamp })),
    }),
    cost: FULL_PAGE,
    errors: ['not_found'],
    example: { payload: { message_id: MESSAGE }, data: { revisions: [{ content: message.content, at: SENT }] } },
  }),
  'message:history': command({
    summary: 'A page of messages, ascending by `seq`; the newest page without bounds.',
    payload: Targeted(
      {
        before_seq: Type.Optional(Seq),
        after_seq: Type.Optional(Seq),
        limit: Limit(200),
        threads: Type.Optional(Type.Boolean()),
      },
      {
        allOf: [{ not: { required: ['before_seq', 'after_seq'] } }],
      },
    ),
    data: Page,
    cost: pageOf(200, 50),
    errors: ['not_found'],
    example: {
      payload: { recipient_id: BOB, before_seq: 13, limit: 1 },
      data: { messages: [message], has_more: true },
    },
  }),
  'message:search': command({
    summary: "Messages of the caller's conversations that hold all words of the query, newest first.",
    payload: OptionallyTargeted({
      query: Type.String({ minLength: 1, maxLength: 128 }),
      limit: Limit(200),
      before_id: Type.Optional(Id),
    }),
    data: Page,
    // However few are asked for, all that match are found first.
    cost: FULL_PAGE,
    errors: ['not_found'],
    example: { payload: { query: 'boat', limit: 20 }, data: { messages: [message], has_more: false } },
  }),
  'message:delivered': command({
    summary: 'Marks everything up to `up_to_seq` as delivered to the caller.',
    payload: UpTo,
    data: Empty,
    errors: ['not_found'],
    example: { payload: { recipient_id: ANN, up_to_seq: 12 }, data: {} },
  }),
  'message:read': command({
    summary: 'Marks everything up to `up_to_seq` as read by the caller.',
    payload: UpTo,
    data: Type.Object({ unread_count: Seq }),
    errors: ['not_found'],
    example: { payload: { recipient_id: ANN, up_to_seq: 12 }, data: { unread_count: 0 } },
  }),
  'typing:start': command({
    summary: 'Shows the caller as typing, for 6 s at most.',
    payload: Targeted({}),
    data: Empty,
    sheddable: true,
    errors: ['forbidden', 'not_found'],
    example: { payload: { recipient_id: BOB }, data: {} },
  }),
  'typing:stop': command({
    summary: 'Shows the caller as no longer typing.',
    payload: Targeted({}),
    data: Empty,
    sheddable: true,
    errors: ['forbidden', 'not_found'],
    example: { payload: { recipient_id: BOB }, data: {} },
  }),
};

export const messageEvents = {
  'message:new': event({ summary: 'A new message, in the order of `rev`.', payload: Changed, example: { message } }),
  'message:updated': event({
    summary: 'An edit, deletion or reaction, in the order of `rev`.',
    payload: Changed,
    example: { message: changedMessage },
  }),
  'message:status': event({
    summary: "A user's marks in a conversation, which only grow.",
    payload: Type.Object({
      conversation_id: ConversationId,
      user_id: Id,
      delivered_seq: Seq,
      read_seq: Seq,
      at: Timestamp,
    }),
    example: { conversation_id: CONVERSATION, user_id: BOB, delivered_seq: 12, read_seq: 12, at: LATER },
  }),
  typing: event({
    summary: 'Somebody in a conversation types or stopped typing.',
    payload: Type.Object({ conversation_id: ConversationId, user_id: Id, is_typing: Type.Boolean() }),
    example: { conversation_id: CONVERSATION, user_id: BOB, is_typing: true },
  }),
};

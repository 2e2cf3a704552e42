import Type from 'typebox';
import { command, event, pageOf } from './define.ts';
import { Message } from './documents.ts';
import { CONVERSATION, LATER, MESSAGE, message, reply } from './examples.ts';
import { Closed, ConversationId, Id, Limit, Seq } from './values.ts';

const root = { ...message, thread: { reply_count: 1, last_reply_at: LATER, user_ids: [reply.sender_id] } };

export const threadCommands = {
  'message:thread': command({
    summary: 'A message and a page of the replies in its thread, ascending by `seq`; the newest page without bounds.',
    payload: Closed(
      { message_id: Id, before_seq: Type.Optional(Seq), after_seq: Type.Optional(Seq), limit: Limit(200) },
      { not: { required: ['before_seq', 'after_seq'] } },
    ),
    data: Type.Object({
      root: Message,
      messages: Type.Array(Message),
      has_more: Type.Boolean(),
      following: Type.Boolean(),
      read_seq: Seq,
      unread_count: Seq,
    }),
    cost: pageOf(200, 50),
    errors: ['not_found', 'conflict'],
    example: {
      payload: { message_id: MESSAGE },
      data: { root, messages: [reply], has_more: false, following: true, read_seq: 0, unread_count: 1 },
    },
  }),
  'thread:follow': command({
    summary: 'Follows a thread, or no longer.',
    payload: Closed({ message_id: Id, following: Type.Boolean() }),
    data: Type.Object({ following: Type.Boolean() }),
    errors: ['not_found', 'conflict'],
    example: { payload: { message_id: MESSAGE, following: true }, data: { following: true } },
  }),
  'thread:read': command({
    summary: "Raises the caller's mark in a thread, which is independent of that in the conversation.",
    payload: Closed({ message_id: Id, up_to_seq: Seq }),
    data: Type.Object({ unread_count: Seq }),
    errors: ['not_found', 'conflict'],
    example: { payload: { message_id: MESSAGE, up_to_seq: reply.seq }, data: { unread_count: 0 } },
  }),
  'thread:list': command({
    summary: 'The followed threads that have a reply, the one with the newest reply first.',
    payload: Closed({ limit: Limit(100), cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }),
    data: Type.Object({
      threads: Type.Array(
        Type.Object({
          root: Message,
          last_reply: Message,
          reply_count: Type.Integer({ minimum: 1 }),
          unread_count: Seq,
          read_seq: Seq,
        }),
      ),
      cursor: Type.Optional(Type.String()),
    }),
    cost: pageOf(100, 50),
    example: {
      payload: {},
      data: { threads: [{ root, last_reply: reply, reply_count: 1, unread_count: 1, read_seq: 0 }] },
    },
  }),
};

export const threadEvents = {
  'thread:updated': event({
    summary: "The user's place in a thread: whether it is followed, and how much of it is unread.",
    payload: Type.Object({
      message_id: Id,
      conversation_id: ConversationId,
      following: Type.Boolean(),
      read_seq: Seq,
      unread_count: Seq,
    }),
    example: {
      message_id: MESSAGE,
      conversation_id: CONVERSATION,
      following: true,
      read_seq: 0,
      unread_count: 1,
    },
  }),
};

import Type from 'typebox';
import { command, event, FULL_PAGE, pageOf } from './define.ts';
import { Call, Conversation, Message } from './documents.ts';
import { BOB, CONVERSATION, conversation, LATER, message, SENT } from './examples.ts';
import { MAX_CONTENT_BYTES } from './messages.ts';
import { Bytes, Closed, ConversationId, Limit, Nullable, Seq, Targeted, Timestamp } from './values.ts';

const Changed = Type.Object({ conversation: Conversation });

export const conversationCommands = {
  'conversation:list': command({
    summary: "The caller's conversations, newest activity first.",
    payload: Closed({ limit: Limit(100), cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }),
    data: Type.Object({ conversations: Type.Array(Conversation), cursor: Type.Optional(Type.String()) }),
    cost: pageOf(100, 50),
    example: { payload: { limit: 50 }, data: { conversations: [conversation] } },
  }),
  'conversation:update': command({
    summary: "The caller's own settings of a conversation, and what the caller has begun to write there.",
    payload: Targeted({
      muted_until: Type.Optional(Nullable(Timestamp)),
      pinned: Type.Optional(Type.Boolean()),
      archived: Type.Optional(Type.Boolean()),
      draft: Type.Optional(Nullable(Bytes(MAX_CONTENT_BYTES))),
    }),
    data: Changed,
    errors: ['not_found'],
    example: {
      payload: { recipient_id: BOB, pinned: true, muted_until: null },
      data: { conversation: { ...conversation, pinned: true } },
    },
  }),
  sync: command({
    summary: 'Everything that a client which was away has missed; repeated by `cursor` while there is more.',
    payload: Closed({
      conversations: Type.Optional(Type.Record(ConversationId, Seq)),
      since: Type.Optional(Timestamp),
      limit: Limit(1000),
      cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
      newest: Limit(200),
    }),
    data: Type.Object({
      conversations: Type.Array(
        Type.Object({ conversation: Conversation, messages: Type.Array(Message), has_more: Type.Boolean() }),
      ),
      gone: Type.Array(ConversationId),
      has_more: Type.Boolean(),
      cursor: Type.Optional(Type.String()),
      calls: Type.Array(Call),
      server_time: Timestamp,
    }),
    cost: FULL_PAGE,
    example: {
      payload: { conversations: { [CONVERSATION]: 14 }, since: SENT },
      data: {
        conversations: [{ conversation, messages: [message], has_more: false }],
        gone: [],
        has_more: false,
        calls: [],
        server_time: LATER,
      },
    },
  }),
};

export const conversationEvents = {
  'conversation:updated': event({
    summary: "A change of one of the user's conversations that no other event tells.",
    payload: Changed,
    example: { conversation: { ...conversation, archived: true } },
  }),
};

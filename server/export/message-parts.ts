/** What a user wrote, received and did in conversations. */
import type { ObjectId } from 'mongodb';
import { toCall } from '../calls/document.ts';
import { toWireCall } from '../calls/view.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { createRevisions } from '../messages/revisions.ts';
import { toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { wireMetadata } from '../model/metadata.ts';
import { toWireMessage } from '../model/views/message.ts';
import { type ExportContext, mapped, type Part } from './part.ts';

/** How many messages are completed with their receipts in one go. */
const CHUNK = 100;

/** The ids of the user's pair conversations. */
export async function* pairsOf({ user_id, collections }: ExportContext): AsyncGenerator<string> {
  const found = collections.conversations.find({ user_ids: user_id, kind: 'direct' }, { projection: { _id: 1 } });
  for await (const { _id } of found) yield _id;
}

/** The groups that the user is in, or was. */
async function* groupsOf({ user_id, collections }: ExportContext): AsyncGenerator<ObjectId> {
  const found = collections.memberships.find({ user_id, kind: 'group' }, { projection: { group_id: 1 } });
  for await (const { group_id } of found) if (group_id) yield group_id;
}

async function* shown(store: Pick<MessageStore, 'show'>, documents: AsyncIterable<MessageDocument>) {
  let chunk: MessageDocument[] = [];
  for await (const document of documents) {
    chunk.push(document);
    if (chunk.length < CHUNK) continue;
    for (const message of await store.show(chunk)) yield toWireMessage(message);
    chunk = [];
  }
  for (const message of await store.show(chunk)) yield toWireMessage(message);
}

const pairMessages: Part = {
  name: 'messages',
  holds: 'conversations of two: what was sent and what was received',
  async *read(context) {
    const { store } = context;
    for await (const conversation_id of pairsOf(context)) {
      yield* shown(store, store.of('direct').find({ conversation_id }).sort({ seq: 1 }));
    }
  },
};

const groupMessages: Part = {
  name: 'group-messages',
  holds: 'what the user sent to groups',
  async *read(context) {
    const { store, user_id } = context;
    for await (const group_id of groupsOf(context)) {
      const own = { conversation_id: group_id.toHexString(), sender_id: user_id };
      yield* shown(store, store.of('group').find(own).sort({ seq: 1 }));
    }
  },
};

/** Own messages that were edited. */
async function* edited(context: ExportContext): AsyncGenerator<MessageDocument> {
  const { store, user_id: sender_id } = context;
  const own = { sender_id, edited_at: { $exists: true } };
  for await (const conversation_id of pairsOf(context)) yield* store.of('direct').find({ conversation_id, ...own });
  for await (const group_id of groupsOf(context)) {
    yield* store.of('group').find({ conversation_id: group_id.toHexString(), ...own });
  }
}

const revisions: Part = {
  name: 'revisions',
  holds: 'what own messages said before they were edited',
  async *read(context) {
    const texts = createRevisions(context.collections);
    for await (const message of edited(context)) {
      const { _id: message_id, conversation_id } = message;
      for (const { content, metadata, at } of await texts.of(message)) {
        yield { ...toWire({ message_id, conversation_id, content, at }), ...wireMetadata(metadata) };
      }
    }
  },
};

const reactions: Part = {
  name: 'group-reactions',
  holds: "reactions to others' messages in groups; those in conversations of two are in messages",
  async *read(context) {
    const { store, user_id } = context;
    for await (const group_id of groupsOf(context)) {
      const conversation_id = group_id.toHexString();
      const found = store
        .of('group')
        .find({ conversation_id, 'reactions.user_ids': user_id }, { projection: { reactions: 1 } });
      for await (const { _id: message_id, reactions = [] } of found) {
        for (const { emoji, user_ids } of reactions) {
          if (user_ids.some((id) => id.equals(user_id))) yield toWire({ message_id, conversation_id, emoji });
        }
      }
    }
  },
};

const calls: Part = {
  name: 'calls',
  holds: 'calls that the user made, was called by, or took part in',
  async *read(context) {
    const { user_id, collections } = context;
    yield* callsWith(collections, { party_ids: user_id });
    for await (const group_id of groupsOf(context)) {
      yield* callsWith(collections, { group_id, $or: [{ caller_id: user_id }, { 'participants.user_id': user_id }] });
    }
  },
};

function callsWith({ calls: collection }: Pick<Collections, 'calls'>, filter: object): AsyncIterable<object> {
  return mapped(collection.find(filter).sort({ started_at: -1, _id: -1 }), (call) => toWireCall(toCall(call)));
}

const drafts: Part = {
  name: 'drafts',
  holds: 'what was begun to be written',
  read: ({ user_id, collections }) =>
    mapped(collections.drafts.find({ user_id }), ({ conversation_id, content, updated_at }) =>
      toWire({ conversation_id, content, updated_at }),
    ),
};

const saved: Part = {
  name: 'saved',
  holds: 'messages that the user saved, by their ids',
  read: ({ user_id, collections }) =>
    mapped(collections.saved.find({ user_id }), ({ message_id, conversation_id, saved_at }) =>
      toWire({ message_id, conversation_id, saved_at }),
    ),
};

const threads: Part = {
  name: 'threads',
  holds: 'threads that the user follows or has read, and how far',
  read: ({ user_id, collections }) =>
    mapped(collections.thread_marks.find({ user_id }), ({ root_id, conversation_id, following, read_seq }) =>
      toWire({ thread_id: root_id, conversation_id, following, read_seq }),
    ),
};

export const MESSAGE_PARTS: readonly Part[] = [
  pairMessages,
  groupMessages,
  revisions,
  reactions,
  calls,
  drafts,
  saved,
  threads,
];

/**
 * Who follows a thread (PROTOCOL section 16): the author of the message once somebody else replies, whoever replies,
 * and whoever is named in a reply. A user's own decision to the contrary holds until they reply or are named again.
 */
import type { ObjectId } from 'mongodb';
import type { Bus } from '../../bus/bus.ts';
import type { Audience } from '../../conversations/audience.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import type { Caller } from '../../dispatch/caller.ts';
import { type ConversationRef, refOf } from '../../model/conversation-ref.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import type { Candidate, Root, ThreadMarks } from './marks.ts';
import { countUnreadReplies } from './unread.ts';

type Actor = Pick<Caller, 'id' | 'userId' | 'socketId'>;

export interface Following {
  /** A reply is stored. Repeatable: it counts as of the `rev` under which it came. */
  replied(actor: Actor, reply: MessageDocument): Promise<void>;
  /** An edit of a reply names further users. */
  named(actor: Actor, reply: MessageDocument, userIds: readonly ObjectId[]): Promise<void>;
  /** Tells a user's devices, all but one socket, the user's place in a thread. @returns the unread replies */
  tell(root: Root, userId: ObjectId, exceptSocket: string | undefined): Promise<number>;
}

export interface FollowingOptions {
  store: Pick<MessageStore, 'of'>;
  marks: ThreadMarks;
  audience: Pick<Audience, 'membersOf'>;
  bus: Pick<Bus, 'emit'>;
}

export function createFollowing({ store, marks, audience, bus }: FollowingOptions): Following {
  async function tell(root: Root, userId: ObjectId, exceptSocket: string | undefined): Promise<number> {
    const { _id, conversation_id } = root;
    const mark = await marks.find(userId, _id);
    const read_seq = mark?.read_seq ?? 0;
    const counts = await countUnreadReplies(store, userId, [{ root_id: _id, conversation_id, read_seq }]);
    const unread_count = counts.get(_id.toHexString()) ?? 0;
    const news = {
      message_id: _id.toHexString(),
      conversation_id,
      following: mark?.following ?? false,
      read_seq,
      unread_count,
    };
    bus.emit({ users: [userId.toHexString()] }, 'thread:updated', news, { socket: exceptSocket });
    return unread_count;
  }

  async function begin(
    actor: Actor,
    conversation: ConversationRef,
    root: Root,
    candidates: readonly Candidate[],
    rev: number,
  ): Promise<void> {
    const members = await audience.membersOf(conversation);
    const present = candidates.filter(({ user_id }) => members.has(user_id.toHexString()));
    const begun = await marks.begin(root, present, rev);
    await Promise.all(
      begun.map((userId) => tell(root, userId, userId.equals(actor.userId) ? actor.socketId : undefined)),
    );
  }

  function readRoot(conversation: ConversationRef, rootId: ObjectId): Promise<Root | null> {
    return store
      .of(conversation.kind)
      .findOne(
        { _id: rootId, conversation_id: conversation.id },
        { projection: { conversation_id: 1, seq: 1, sender_id: 1 } },
      );
  }

  return {
    tell,
    async replied(actor, reply) {
      const conversation = refOf(reply);
      const root = await readRoot(conversation, reply.thread_id!);
      if (!root) return;
      const own = [reply.sender_id, ...(reply.mentions?.user_ids ?? [])];
      const isOwn = own.some((id) => id.equals(root.sender_id));
      const candidates = own.map((user_id) => ({ user_id, isOwn: true }));
      if (!isOwn) candidates.push({ user_id: root.sender_id, isOwn: false });
      await begin(actor, conversation, root, candidates, reply.revs?.[0] ?? reply.rev);
    },
    async named(actor, reply, userIds) {
      const conversation = refOf(reply);
      const root = userIds.length > 0 ? await readRoot(conversation, reply.thread_id!) : null;
      if (!root) return;
      const candidates = userIds.map((user_id) => ({ user_id, isOwn: true }));
      await begin(actor, conversation, root, candidates, reply.rev);
    },
  };
}

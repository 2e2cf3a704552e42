/** Users with many conversations, written straight into the database. */
import { ObjectId } from 'mongodb';
import { emptyGroupSummary } from '../../server/conversations/group-summary.ts';
import type { Caller } from '../../server/dispatch/caller.ts';
import { termsOf } from '../../server/messages/terms.ts';
import type { Collections } from '../../server/model/collections.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';
import type { UserDocument } from '../../server/model/documents/accounts.ts';
import type { ConversationDocument, MembershipDocument } from '../../server/model/documents/conversations.ts';
import type { GroupDocument } from '../../server/model/documents/groups.ts';
import type { GroupMessageDocument, PairMessageDocument } from '../../server/model/documents/messages.ts';

const YESTERDAY = new Date(Date.now() - 86_400_000);

export interface UserWithPairs {
  caller: Caller;
  /** The `rev` up to which the user has each conversation, by id. */
  revs: Record<string, number>;
}

/**
 * Creates a user with pairs that hold one old message each.
 * @param pairs how many
 * @param missed how many newer messages there are, spread over every tenth pair
 */
export async function createUserWithPairs(stored: Collections, pairs: number, missed: number): Promise<UserWithPairs> {
  const me = userDocument();
  const peers = Array.from({ length: pairs }, userDocument);
  const busy = Math.ceil(pairs / 10);
  const made = peers.map((peer, i) => pairDocuments(me, peer, 1 + (i < busy ? Math.ceil((missed - i) / busy) : 0)));
  await Promise.all([
    stored.users.insertMany([me, ...peers]),
    stored.memberships.insertMany(made.flatMap(({ memberships }) => memberships)),
    stored.conversations.insertMany(made.map(({ summary }) => summary)),
    stored.messages.insertMany(made.flatMap(({ messages }) => messages)),
  ]);
  return { caller: callerOf(me), revs: Object.fromEntries(made.map(({ summary }) => [summary._id, 1])) };
}

/**
 * Creates a user who is in groups in which nothing was written.
 * @param count how many groups
 * @param members how many members each has; those besides the user do not exist
 * @returns the user's caller and the groups' ids
 */
export async function createUserWithGroups(
  stored: Collections,
  count: number,
  members: number,
): Promise<{ caller: Caller; ids: string[] }> {
  const me = userDocument();
  const others = Array.from({ length: members - 1 }, () => new ObjectId());
  const groups = Array.from({ length: count }, (_, i) => groupDocument([me._id, ...others], YESTERDAY, i));
  await Promise.all([
    stored.users.insertOne(me),
    stored.groups.insertMany(groups),
    stored.memberships.insertMany(groups.map((group) => stayDocument(group, me._id))),
    stored.conversations.insertMany(groups.map(emptyGroupSummary)),
  ]);
  return { caller: callerOf(me), ids: groups.map(({ _id }) => _id.toHexString()) };
}

/**
 * Puts a user into groups with others who exist no more. Each holds one old message, and every other one a newer one that
 * the user missed.
 * @param count how many groups
 * @param members how many members each has
 */
export async function addGroups(
  stored: Collections,
  { caller, revs }: UserWithPairs,
  count: number,
  members: number,
): Promise<void> {
  const everyone = [caller.userId, ...Array.from({ length: members - 1 }, () => new ObjectId())];
  const groups = Array.from({ length: count }, (_, i) => groupDocument(everyone, YESTERDAY, i));
  const now = new Date();
  const made = groups.map((group, i) => {
    const old = groupMessage(group, everyone[1]!, 1, YESTERDAY);
    return { group, messages: i % 2 === 0 ? [old] : [old, groupMessage(group, everyone[1]!, 2, now)] };
  });
  await Promise.all([
    stored.groups.insertMany(groups),
    stored.memberships.insertMany(groups.flatMap((group) => everyone.map((member) => stayDocument(group, member)))),
    stored.group_messages.insertMany(made.flatMap(({ messages }) => messages)),
    stored.conversations.insertMany(
      made.map(({ group, messages }) => {
        const { _id, seq, created_at } = messages.at(-1)!;
        const newest = { last_seq: seq, rev: seq, last_message_id: _id };
        return { ...emptyGroupSummary(group), ...newest, activity_at: created_at, changed_at: created_at };
      }),
    ),
  ]);
  for (const { _id } of groups) revs[_id.toHexString()] = 1;
}

function groupMessage({ _id }: GroupDocument, sender_id: ObjectId, seq: number, at: Date): GroupMessageDocument {
  const { recipient_id: _nobody, status: _none, ...rest } = messageDocument(_id.toHexString(), sender_id, _id, seq, at);
  return { ...rest, group_id: _id, read_by: [] };
}

/** Adds a message to a pair, as a send does. */
export async function addMessage(stored: Collections, conversationId: string): Promise<void> {
  const summary = (await stored.conversations.findOne({ _id: conversationId }))!;
  const [one, other] = summary.user_ids!;
  const message = messageDocument(conversationId, one!, other!, summary.last_seq + 1, new Date());
  await stored.messages.insertOne({ ...message, rev: summary.rev + 1 });
  await stored.conversations.updateOne(
    { _id: conversationId },
    {
      $set: { last_message_id: message._id, activity_at: message.created_at, changed_at: message.created_at },
      $inc: { last_seq: 1, rev: 1 },
    },
  );
}

function callerOf({ _id }: UserDocument): Caller {
  return {
    userId: _id,
    id: _id.toHexString(),
    sessionId: '0'.repeat(24),
    socketId: 'socket',
    inTurn: async (prepare, act) => act(await prepare),
  };
}

function groupDocument(members: ObjectId[], at: Date, number: number): GroupDocument {
  return {
    _id: new ObjectId(),
    name: `Group ${number}`,
    description: 'x'.repeat(1000),
    icon: null,
    creator_id: members[0]!,
    members,
    admins: [members[0]!],
    created_at: at,
    updated_at: at,
    is_active: true,
  };
}

function stayDocument({ _id, created_at }: GroupDocument, user_id: ObjectId): MembershipDocument {
  return {
    _id: new ObjectId(),
    user_id,
    conversation_id: _id.toHexString(),
    kind: 'group',
    group_id: _id,
    from_seq: 0,
    joined_at: created_at,
    delivered_seq: 0,
    read_seq: 0,
    shown_read_seq: 0,
    changed_at: created_at,
  };
}

function userDocument(): UserDocument {
  const _id = new ObjectId();
  const name = _id.toHexString();
  return {
    _id,
    username: name,
    username_key: name,
    email: `${name}@example.test`,
    email_key: `${name}@example.test`,
    password: 'x',
    password_history: [],
    last_password_change: YESTERDAY,
    full_name: null,
    full_name_key: '',
    profile_picture: null,
    bio: '',
    settings: {},
    created_at: YESTERDAY,
    updated_at: YESTERDAY,
    last_seen: YESTERDAY,
    is_active: true,
  };
}

/** A pair in which the peer has sent some messages; both users have read the first one. */
function pairDocuments(me: UserDocument, peer: UserDocument, count: number) {
  const { id } = pairRef(me._id.toHexString(), peer._id.toHexString());
  const at = count > 1 ? new Date() : YESTERDAY;
  const messages = Array.from({ length: count }, (_, i) => messageDocument(id, peer._id, me._id, i + 1, at));
  const summary: ConversationDocument = {
    _id: id,
    kind: 'direct',
    user_ids: [me._id, peer._id],
    last_seq: count,
    rev: count,
    last_message_id: messages.at(-1)!._id,
    activity_at: at,
    changed_at: at,
    created_at: YESTERDAY,
  };
  const memberships = [membershipDocument(id, me._id, peer._id), membershipDocument(id, peer._id, me._id)];
  return { messages, summary, memberships };
}

function messageDocument(
  conversation_id: string,
  sender_id: ObjectId,
  recipient_id: ObjectId,
  seq: number,
  at: Date,
): PairMessageDocument {
  const content = `message ${seq}`;
  return {
    _id: new ObjectId(),
    conversation_id,
    seq,
    rev: seq,
    sender_id,
    recipient_id,
    content,
    message_type: 'text',
    attachment: null,
    created_at: at,
    updated_at: at,
    is_deleted: false,
    status: 'sent',
    terms: termsOf(content),
  };
}

function membershipDocument(conversation_id: string, user_id: ObjectId, peer_id: ObjectId): MembershipDocument {
  return {
    _id: new ObjectId(),
    user_id,
    conversation_id,
    kind: 'direct',
    peer_id,
    from_seq: 0,
    joined_at: YESTERDAY,
    delivered_seq: 1,
    read_seq: 1,
    shown_read_seq: 1,
    changed_at: YESTERDAY,
  };
}

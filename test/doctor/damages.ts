/** Damage that a broken disk, a bug or a hand could do to stored data; each with the check that must find it. */
import { type Document, ObjectId } from 'mongodb';
import type { Collections } from '../../server/model/collections.ts';
import type { PushSubscriptionDocument } from '../../server/model/documents/push.ts';
import { locatorOf } from '../../server/model/message-id.ts';

/** What the planted data is made of: a pair and a group, each with messages, an upload and a call. */
export interface Patient {
  pair: string;
  group: string;
  users: ObjectId[];
}

export interface Damage {
  name: string;
  check: string;
  /** Whether something tells what was there. */
  canBeMended: boolean;
  plant(collections: Collections, patient: Patient): Promise<unknown>;
}

const one = (conversation_id: string, seq: number) => ({ conversation_id, seq }) as Document;

export const DAMAGES: Damage[] = [
  {
    name: 'an index is gone',
    check: 'indexes',
    canBeMended: true,
    plant: ({ contacts }) => contacts.dropIndex('contact_status'),
  },
  {
    name: 'an index is another one',
    check: 'indexes',
    canBeMended: true,
    async plant({ groups }) {
      await groups.dropIndex('updated');
      await groups.createIndex({ updated_at: -1 }, { name: 'updated' });
    },
  },
  {
    name: 'a message is gone',
    check: 'seq gaps',
    canBeMended: false,
    plant: ({ messages }, { pair }) => messages.deleteOne(one(pair, 2)),
  },
  {
    name: 'a rev was passed over',
    check: 'rev gaps',
    canBeMended: false,
    plant: ({ group_messages }, { group }) =>
      group_messages.updateOne(one(group, 3), { $set: { rev: 40, revs: [40] } }),
  },
  {
    name: 'a message lies in another conversation',
    check: 'placement',
    canBeMended: false,
    plant: ({ messages }, { pair, users }) => messages.updateOne(one(pair, 3), { $set: { recipient_id: users[2]! } }),
  },
  {
    name: 'a summary is gone',
    check: 'summaries',
    canBeMended: true,
    plant: ({ conversations }, { pair }) => conversations.deleteOne({ _id: pair }),
  },
  {
    name: 'a summary is behind',
    check: 'summaries',
    canBeMended: true,
    plant: ({ conversations }, { group }) => conversations.updateOne({ _id: group }, { $set: { last_seq: 1, rev: 1 } }),
  },
  {
    name: 'a conversation cannot be found by the ids of its messages',
    check: 'locators',
    canBeMended: true,
    plant: ({ locators }, { pair }) => locators.deleteOne({ _id: locatorOf(pair) }),
  },
  {
    name: 'a mark lies beyond the end',
    check: 'marks',
    canBeMended: true,
    plant: ({ memberships }, { pair, users }) =>
      memberships.updateOne({ conversation_id: pair, user_id: users[1]! }, { $set: { read_seq: 999 } }),
  },
  {
    name: 'what was read was not delivered',
    check: 'marks',
    canBeMended: true,
    plant: ({ memberships }, { group, users }) =>
      memberships.updateOne(
        { conversation_id: group, user_id: users[1]! },
        { $set: { read_seq: 2, delivered_seq: 0 } },
      ),
  },
  {
    name: 'a member has no membership',
    check: 'memberships of groups',
    canBeMended: true,
    plant: ({ memberships }, { group, users }) => memberships.deleteOne({ conversation_id: group, user_id: users[2]! }),
  },
  {
    name: 'a member has left, as the membership has it',
    check: 'memberships of groups',
    canBeMended: true,
    plant: ({ memberships }, { group, users }) =>
      memberships.updateOne({ conversation_id: group, user_id: users[0]! }, { $set: { left_at: new Date() } }),
  },
  {
    name: 'a membership belongs to no group',
    check: 'memberships without a group',
    canBeMended: true,
    plant: ({ memberships }, { users }) => {
      const group_id = new ObjectId();
      const marks = { from_seq: 0, delivered_seq: 0, read_seq: 0, shown_read_seq: 0 };
      const times = { joined_at: new Date(), changed_at: new Date() };
      return memberships.insertOne({
        _id: new ObjectId(),
        user_id: users[0]!,
        conversation_id: group_id.toHexString(),
        kind: 'group',
        group_id,
        ...marks,
        ...times,
      });
    },
  },
  {
    name: 'one of a pair has no membership',
    check: 'memberships of pairs',
    canBeMended: true,
    plant: ({ memberships }, { pair, users }) => memberships.deleteOne({ conversation_id: pair, user_id: users[0]! }),
  },
  {
    name: 'a group has no admin',
    check: 'groups',
    canBeMended: true,
    plant: ({ groups }, { group }) => groups.updateOne({ _id: new ObjectId(group) }, { $set: { admins: [] } }),
  },
  {
    name: 'search misses a message',
    check: 'search terms',
    canBeMended: true,
    plant: ({ group_messages }, { group }) => group_messages.updateOne(one(group, 1), { $set: { terms: ['wrong'] } }),
  },
  {
    name: 'reactions are miscounted',
    check: 'counted reactions',
    canBeMended: true,
    plant: ({ group_messages }, { group, users }) =>
      group_messages.updateOne(one(group, 2), {
        $set: { reactions: [{ emoji: '👍', user_ids: users, count: 17 }] },
      }),
  },
  {
    name: 'an attachment does not exist',
    check: 'attachments',
    canBeMended: false,
    plant: ({ group_messages }, { group }) =>
      group_messages.updateOne(one(group, 1), { $set: { attachment: { media_id: new ObjectId() } } }),
  },
  {
    name: 'a user cannot be found by name',
    check: 'keys of users',
    canBeMended: true,
    plant: ({ users: stored }, { users }) => stored.updateOne({ _id: users[0]! }, { $set: { full_name_key: 'else' } }),
  },
  {
    name: 'a session belongs to nobody',
    check: 'sessions',
    canBeMended: true,
    plant: ({ sessions }, { users }) =>
      sessions.updateOne({ user_id: users[2]! }, { $set: { user_id: new ObjectId() } }),
  },
  {
    name: 'a contact is one-sided',
    check: 'contacts',
    canBeMended: true,
    plant: ({ contacts }, { users }) => contacts.deleteOne({ user_id: users[1]!, contact_id: users[0]! }),
  },
  {
    name: 'a call rings for ever',
    check: 'calls',
    canBeMended: true,
    plant: ({ calls }) => {
      const longAgo = new Date(Date.now() - 3_600_000);
      return calls.updateOne({ is_open: true }, { $set: { deadline_at: longAgo, ring_until: longAgo } });
    },
  },
  {
    name: 'bytes of an upload are gone',
    check: 'uploads without bytes',
    canBeMended: false,
    plant: ({ media }) => media.updateOne({}, { $set: { filename: `${new ObjectId()}.png` } }),
  },
  {
    name: 'a quota is miscounted',
    check: 'quotas',
    canBeMended: true,
    plant: ({ upload_usage }) => upload_usage.updateOne({}, { $inc: { bytes: 12_345, held: 12_345 } }),
  },
  {
    name: 'a message does not say that it has a thread',
    check: 'threads',
    canBeMended: true,
    plant: ({ group_messages }, { group }) => group_messages.updateOne(one(group, 1), { $unset: { has_thread: true } }),
  },
  {
    name: 'a reply counts as one of the conversation',
    check: 'threads',
    canBeMended: true,
    plant: ({ group_messages }) =>
      group_messages.updateOne({ thread_id: { $exists: true } }, { $unset: { aside: true } }),
  },
  {
    name: 'the message that a thread hangs on is another one',
    check: 'threads',
    canBeMended: false,
    plant: ({ group_messages }) =>
      group_messages.updateOne({ thread_id: { $exists: true } }, { $set: { thread_id: new ObjectId() } }),
  },
  {
    name: 'a thread is read beyond the end',
    check: 'marks in threads',
    canBeMended: true,
    plant: ({ thread_marks }, { users }) => thread_marks.updateOne({ user_id: users[0]! }, { $set: { read_seq: 999 } }),
  },
  {
    name: 'a user follows a thread of no message',
    check: 'marks in threads',
    canBeMended: true,
    plant: ({ thread_marks }, { users }) =>
      thread_marks.updateOne({ user_id: users[0]! }, { $set: { root_id: new ObjectId() } }),
  },
  {
    name: 'a mention is counted for somebody else',
    check: 'mentions',
    canBeMended: true,
    plant: ({ group_messages }, { users }) =>
      group_messages.updateOne({ mentions: { $exists: true } }, { $set: { mentioned: [users[2]!] } }),
  },
  {
    name: 'a deleted message is pinned and says something',
    check: 'deleted messages',
    canBeMended: true,
    plant: ({ group_messages }, { users }) =>
      group_messages.updateOne(
        { is_deleted: true },
        { $set: { content: 'a mistake', pinned: { by: users[0]!, at: new Date(), rev: 1 } } },
      ),
  },
  {
    name: 'an earlier text belongs to no message',
    check: 'earlier texts',
    canBeMended: true,
    plant: ({ revisions }) =>
      revisions.insertOne({ _id: new ObjectId(), message_id: new ObjectId(), content: 'lost', at: new Date() }),
  },
  {
    name: 'an earlier text is gone',
    check: 'earlier texts',
    canBeMended: false,
    plant: ({ revisions }) => revisions.deleteOne({}),
  },
  {
    name: 'a saved message lies elsewhere',
    check: 'saved messages',
    canBeMended: true,
    plant: ({ saved }, { pair }) => saved.updateOne({}, { $set: { conversation_id: pair } }),
  },
  {
    name: 'a saved message does not exist',
    check: 'saved messages',
    canBeMended: true,
    plant: ({ saved }) => saved.updateOne({}, { $set: { message_id: new ObjectId() } }),
  },
  {
    name: 'the length of a draft is noted wrongly',
    check: 'drafts',
    canBeMended: true,
    plant: ({ memberships }) => memberships.updateOne({ draft_bytes: { $exists: true } }, { $set: { draft_bytes: 1 } }),
  },
  {
    name: 'a draft is of a conversation that the user has no part in',
    check: 'drafts',
    canBeMended: true,
    plant: ({ drafts }, { users }) =>
      drafts.insertOne({
        _id: new ObjectId(),
        user_id: users[0]!,
        conversation_id: new ObjectId().toHexString(),
        content: 'to nobody',
        updated_at: new Date(),
      }),
  },
  {
    name: 'an invitation cannot be found by its code',
    check: 'keys of invitations',
    canBeMended: true,
    plant: ({ groups }, { group }) =>
      groups.updateOne({ _id: new ObjectId(group) }, { $set: { invite_keys: ['another'] } }),
  },
  {
    name: 'a member asks to join',
    check: 'requests to join',
    canBeMended: true,
    plant: ({ join_requests }, { group, users }) => join_requests.insertOne(asking(new ObjectId(group), users[0]!)),
  },
  {
    name: 'somebody asks to join no group',
    check: 'requests to join',
    canBeMended: true,
    plant: ({ join_requests }, { users }) => join_requests.insertOne(asking(new ObjectId(), users[0]!)),
  },
  {
    name: 'a device that is notified belongs to nobody',
    check: 'push subscriptions',
    canBeMended: true,
    plant: ({ push_subscriptions }) => push_subscriptions.insertOne(subscription(new ObjectId())),
  },
  {
    name: 'a user with a device that is notified is not known to use push',
    check: 'push subscriptions',
    canBeMended: true,
    plant: ({ push_subscriptions }, { users }) => push_subscriptions.insertOne(subscription(users[0]!)),
  },
  {
    name: 'a push waits for ever',
    check: 'push jobs',
    canBeMended: true,
    plant: ({ push_jobs }, { pair, users }) =>
      push_jobs.insertOne({
        _id: 'a job',
        subscription_id: new ObjectId(),
        session_id: new ObjectId(),
        user_id: users[0]!,
        kind: 'conversation',
        subject: pair,
        provider: 'fcm',
        lane: 'fcm',
        waits_since: new Date(),
        knocks: 1,
        attempts: 0,
        expires_at: new Date(Date.now() + 3_600_000),
      }),
  },
  {
    name: 'a webhook was told more than there is',
    check: 'cursors of webhooks',
    canBeMended: true,
    plant: ({ webhook_cursors }, { pair }) =>
      webhook_cursors.insertOne({
        _id: `feed ${pair}`,
        webhook_id: new ObjectId(),
        feed_id: new ObjectId(),
        partition: 0,
        stream: pair,
        rev: 999,
      }),
  },
];

function asking(group_id: ObjectId, user_id: ObjectId) {
  return { _id: new ObjectId(), group_id, user_id, at: new Date(), invite_id: 'an invitation' };
}

function subscription(user_id: ObjectId): PushSubscriptionDocument {
  const at = new Date();
  const address = new ObjectId().toHexString();
  const times = { created_at: at, named_at: at, since: at };
  return { _id: new ObjectId(), provider: 'fcm', key: address, address, session_id: new ObjectId(), user_id, ...times };
}

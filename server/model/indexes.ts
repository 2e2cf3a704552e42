/** Every index with the query that it serves; an index that serves none is removed. */
import type { IndexDescription } from 'mongodb';
import type { CollectionName } from './collections.ts';
import type { Settings } from './documents/accounts.ts';

const messageIndexes: IndexDescription[] = [
  // The order of messages, pages of history, the messages between two marks, and the last one that a summary names.
  { name: 'conversation_seq', key: { conversation_id: 1, seq: 1 }, unique: true },
  // The order of changes, and the changes above a rev, for sync and the sequencer.
  { name: 'conversation_rev', key: { conversation_id: 1, rev: 1 }, unique: true },
  // No rev is given twice, not even one that its message has since replaced.
  {
    name: 'conversation_revs',
    key: { conversation_id: 1, revs: 1 },
    unique: true,
    partialFilterExpression: { revs: { $exists: true } },
  },
  // Idempotency of message:send by client_message_id.
  {
    name: 'client_message',
    key: { conversation_id: 1, sender_id: 1, client_message_id: 1 },
    unique: true,
    partialFilterExpression: { client_message_id: { $exists: true } },
  },
  // Unread counts, on MongoDB from the index alone.
  { name: 'unread', key: { conversation_id: 1, is_deleted: 1, seq: 1, sender_id: 1, aside: 1 } },
  // message:pinned, the newest pin first, and how many there are.
  {
    name: 'pinned',
    key: { conversation_id: 1, 'pinned.rev': 1 },
    partialFilterExpression: { 'pinned.rev': { $exists: true } },
  },
  // message:thread, and the last reply of many threads.
  {
    name: 'thread',
    key: { conversation_id: 1, thread_id: 1, seq: 1 },
    partialFilterExpression: { thread_id: { $exists: true } },
  },
  // What messages show of their threads, and how much of these is unread, from the index alone.
  {
    name: 'thread_summary',
    key: { conversation_id: 1, thread_id: 1, is_deleted: 1, sender_id: 1, seq: 1, created_at: 1 },
    partialFilterExpression: { thread_id: { $exists: true } },
  },
  // mention_count, and message:mentions within conversations.
  {
    name: 'mentioned',
    key: { conversation_id: 1, mentioned: 1, seq: 1 },
    partialFilterExpression: { mentioned: { $exists: true } },
  },
  // message:search within conversations.
  { name: 'conversation_terms', key: { conversation_id: 1, terms: 1, seq: -1 } },
];

/** Who may read an upload: whoever may read a message that it was sent in. */
const attachmentIndex = (reader: 'recipient_id' | 'group_id'): IndexDescription => ({
  name: 'attachment',
  key: { 'attachment.media_id': 1, [reader]: 1, seq: 1 },
  partialFilterExpression: { 'attachment.media_id': { $exists: true } },
});

/** Which of many users, such as a group's members, have switched a setting off: few, so no document is looked at. */
const switchedOffIndex = (setting: keyof Settings): IndexDescription => ({
  name: `${setting}_off`,
  key: { [`settings.${setting}`]: 1, _id: 1 },
  partialFilterExpression: { [`settings.${setting}`]: false },
});

const uploadIndexes: IndexDescription[] = [
  // Clean-up of uploads that were never sent.
  { name: 'unsent', key: { used_at: 1 }, partialFilterExpression: { unsent: true } },
  // What a user's uploads hold together, from the index alone.
  { name: 'uploader', key: { uploader_id: 1, is_deleted: 1, file_size: 1, _id: 1 } },
  // Erasure: a user's uploads that were never sent.
  { name: 'unsent_by', key: { uploader_id: 1 }, partialFilterExpression: { unsent: true } },
  // Clean-up of bytes whose document is deleted.
  { name: 'bytes_left', key: { is_deleted: 1 }, partialFilterExpression: { is_deleted: true, stored: true } },
];

/** Changes that are not stored for webhooks yet, where a process died. */
const pendingIndex: IndexDescription = {
  name: 'pending',
  key: { 'pending.at': 1 },
  partialFilterExpression: { 'pending.at': { $exists: true } },
};

export const INDEXES: Record<CollectionName, IndexDescription[]> = {
  users: [
    pendingIndex,
    // Erasures to be finished.
    { name: 'erasing', key: { erasing: 1 }, partialFilterExpression: { erasing: true } },
    // Registration, sign-in by username, contact:request by username; prefix search.
    { name: 'username_key', key: { username_key: 1 }, unique: true },
    // Registration, sign-in by address, password reset.
    { name: 'email_key', key: { email_key: 1 }, unique: true },
    // Users by the id that the operator's back end has for them: each is made once.
    {
      name: 'external_id',
      key: { external_id: 1 },
      unique: true,
      partialFilterExpression: { external_id: { $exists: true } },
    },
    // user:search by the prefix of the full name.
    { name: 'full_name_key', key: { full_name_key: 1 } },
    // Who may read an upload: everybody, while it is a profile picture.
    { name: 'profile_picture', key: { profile_picture: 1 } },
    // typing:start and message:read in groups.
    switchedOffIndex('typing_indicators_enabled'),
    switchedOffIndex('read_receipts_enabled'),
  ],
  messages: [
    ...messageIndexes,
    attachmentIndex('recipient_id'),
    // Who may read an upload: whoever has forwarded it, and did not upload it.
    {
      name: 'forwarded_attachment',
      key: { 'attachment.media_id': 1, sender_id: 1 },
      partialFilterExpression: { 'forwarded.count': { $exists: true }, 'attachment.media_id': { $exists: true } },
    },
  ],
  group_messages: [
    ...messageIndexes,
    attachmentIndex('group_id'),
    // Slow mode: the last message of a sender …
    { name: 'sender', key: { conversation_id: 1, sender_id: 1, seq: 1 } },
    // … which one other can follow.
    {
      name: 'follows',
      key: { conversation_id: 1, sender_id: 1, follows_seq: 1 },
      unique: true,
      partialFilterExpression: { follows_seq: { $exists: true } },
    },
  ],
  groups: [
    pendingIndex,
    // The groups of a user.
    { name: 'members', key: { members: 1, is_active: 1 } },
    // Idempotency of group:create.
    {
      name: 'client_group',
      key: { creator_id: 1, client_group_id: 1 },
      unique: true,
      partialFilterExpression: { client_group_id: { $exists: true } },
    },
    // Changes of members that a node may have missed while Redis was away.
    { name: 'updated', key: { updated_at: 1 } },
    // Who may read an upload: everybody, while it is a group's icon.
    { name: 'icon', key: { icon: 1 } },
    // group:join, group:preview and group:revoke_invite: the group of an invitation.
    { name: 'invite_keys', key: { invite_keys: 1 }, partialFilterExpression: { invite_keys: { $exists: true } } },
  ],
  join_requests: [
    // A user asks once; decisions.
    { name: 'group_user', key: { group_id: 1, user_id: 1 }, unique: true },
    // group:requests, oldest first.
    { name: 'group_at', key: { group_id: 1, at: 1, _id: 1 } },
    // Erasure.
    { name: 'user', key: { user_id: 1 } },
  ],
  contacts: [
    // One document per direction; the two documents of a pair.
    { name: 'owner_contact', key: { user_id: 1, contact_id: 1 }, unique: true },
    // contact:list; whether either of two users blocks the other, for many pairs at once.
    { name: 'owner_status', key: { user_id: 1, status: 1, contact_id: 1 } },
    // Requests since a time, to be pushed.
    { name: 'requests', key: { created_at: 1 }, partialFilterExpression: { direction: 'in' } },
    // Who blocks a user, awaits an answer, or sees the user's presence.
    { name: 'contact_status', key: { contact_id: 1, status: 1, user_id: 1 } },
  ],
  calls: [
    pendingIndex,
    // One open call per conversation: glare, and a second call in a group.
    { name: 'open_call', key: { conversation_id: 1 }, unique: true, partialFilterExpression: { is_open: true } },
    // One call per user: the caller of an unanswered call and everyone in an ongoing call have a seat.
    { name: 'seat', key: { 'seats.user_id': 1 }, unique: true, partialFilterExpression: { is_open: true } },
    // Calls that a deadline changes, for the sweeper of each node.
    { name: 'deadline', key: { deadline_at: 1 }, partialFilterExpression: { is_open: true } },
    // Seats on the connections of a dead node.
    { name: 'seat_node', key: { 'seats.node_id': 1 }, partialFilterExpression: { is_open: true } },
    // Calls that ring, to be pushed.
    { name: 'ringing', key: { ring_until: 1 }, partialFilterExpression: { is_open: true } },
    // Calls that ring when a device connects; sync.
    { name: 'told', key: { told_ids: 1 }, partialFilterExpression: { is_open: true } },
    // call:history of pairs and of groups.
    {
      name: 'party_history',
      key: { party_ids: 1, started_at: -1, _id: -1 },
      partialFilterExpression: { party_ids: { $exists: true } },
    },
    {
      name: 'group_history',
      key: { group_id: 1, started_at: -1, _id: -1 },
      partialFilterExpression: { group_id: { $exists: true } },
    },
  ],
  media: uploadIndexes,
  files: uploadIndexes,
  pending_uploads: [
    // Clean-up of bytes without a document.
    { name: 'expires', key: { expires_at: 1 } },
    // A user's uploads that are under way.
    { name: 'uploader', key: { uploader_id: 1 } },
  ],
  upload_usage: [],
  presence: [
    // Users whom an earlier run left online, page by page.
    { name: 'status', key: { status: 1, _id: 1 } },
  ],
  password_reset_tokens: [
    // Resets by token.
    { name: 'token', key: { token: 1 }, unique: true },
    // Removes tokens a day after they expired.
    { name: 'expiry', key: { expiry: 1 }, expireAfterSeconds: 86_400 },
  ],
  sessions: [
    // A user's sessions, newest first, page by page; ending all of them.
    { name: 'user', key: { user_id: 1, created_at: 1, _id: 1 } },
    // Sign-ins from where a user's sessions come from, while others guess the password.
    { name: 'user_network', key: { user_id: 1, network: 1 }, partialFilterExpression: { network: { $exists: true } } },
    // Sessions ended since a time, which each node polls.
    {
      name: 'revoked',
      key: { revoked_at: 1 },
      partialFilterExpression: { revoked_at: { $exists: true } },
    },
    // Removes sessions a day after they expired.
    { name: 'expires', key: { expires_at: 1 }, expireAfterSeconds: 86_400 },
  ],
  conversations: [
    // conversation:list: a user's pairs by activity.
    {
      name: 'pairs_by_activity',
      key: { user_ids: 1, activity_at: -1, _id: -1 },
      partialFilterExpression: { user_ids: { $exists: true } },
    },
    // Conversations that changed while Redis was away, which a node may have missed.
    { name: 'changed', key: { changed_at: 1 } },
  ],
  memberships: [
    // A user's place in a conversation, or in many; marks of many users in many.
    { name: 'conversation_user', key: { conversation_id: 1, user_id: 1 }, unique: true },
    // A conversation's members and their marks; sync, for marks that grew since a time.
    { name: 'conversation', key: { conversation_id: 1, marks_at: 1 } },
    // sync: in which of a user's pairs the peer's marks grew since a time.
    {
      name: 'peer_marks',
      key: { peer_id: 1, marks_at: 1 },
      partialFilterExpression: { peer_id: { $exists: true } },
    },
    // Marks that the stored messages do not say yet: of conversations that are shown, and all of them, to settle them.
    {
      name: 'settling',
      key: { conversation_id: 1 },
      partialFilterExpression: { settling_from: { $exists: true } },
    },
    // A user's groups and pairs.
    { name: 'user_kind', key: { user_id: 1, kind: 1, left_at: 1 } },
  ],
  locators: [],
  counted_reactions: [
    // How many reactions of an emoji a message does not name.
    { name: 'message_emoji', key: { message_id: 1, emoji: 1 } },
  ],
  push_subscriptions: [
    // The same subscription again is the same document.
    { name: 'key', key: { key: 1 }, unique: true },
    // push:list, the oldest of a session, and those of sessions that have ended.
    { name: 'session', key: { session_id: 1, named_at: 1 } },
    // The subscriptions of those who are to be told.
    { name: 'user', key: { user_id: 1 } },
  ],
  drafts: [
    // A user's drafts.
    { name: 'user_conversation', key: { user_id: 1, conversation_id: 1 }, unique: true },
  ],
  saved: [
    // A message that a user has saved, or not.
    { name: 'user_message', key: { user_id: 1, message_id: 1 }, unique: true },
    // message:saved, last saved first.
    { name: 'user_saved', key: { user_id: 1, saved_at: -1, _id: -1 } },
  ],
  thread_marks: [
    // Who follows a thread, and a user's mark in it.
    { name: 'user_root', key: { user_id: 1, root_id: 1 }, unique: true },
    // thread:list.
    { name: 'user_following', key: { user_id: 1, following: 1 } },
  ],
  revisions: [
    // What a message said before it was edited.
    { name: 'message', key: { message_id: 1 } },
  ],
  // By `_id` alone: there are few.
  server_keys: [],
  push_jobs: [
    // What is due, oldest first, of providers that have room.
    { name: 'due', key: { due_at: 1, lane: 1 }, partialFilterExpression: { due_at: { $exists: true } } },
    // How many wait, and since when.
    { name: 'waiting', key: { waits_since: 1 }, partialFilterExpression: { waits_since: { $exists: true } } },
    // What a user's devices show of a conversation that was read.
    { name: 'subject', key: { user_id: 1, subject: 1 } },
    // What goes with a subscription.
    { name: 'subscription', key: { subscription_id: 1 } },
    // Removes what no device can show any more.
    { name: 'expires', key: { expires_at: 1 }, expireAfterSeconds: 0 },
  ],
  push_acknowledgements: [
    // Removes what is too old to matter.
    { name: 'expires', key: { expires_at: 1 }, expireAfterSeconds: 0 },
  ],
  jobs: [
    // Jobs that are due, oldest first.
    { name: 'due', key: { due_at: 1 } },
  ],
  nodes: [
    // Removes the records of nodes that died long ago.
    { name: 'seen', key: { seen_at: 1 }, expireAfterSeconds: 86_400 },
  ], // Sixteen documents at most.
  partitions: [],
  webhooks: [
    // A webhook by its name; no two have the same name.
    { name: 'name', key: { name: 1 }, unique: true },
  ],
  webhook_cursors: [
    // What waits: for the node of its partition, and to be counted.
    {
      name: 'behind',
      key: { webhook_id: 1, partition: 1 },
      partialFilterExpression: { behind: { $exists: true } },
    },
    // Whether a webhook is failing, and why.
    {
      name: 'failed',
      key: { webhook_id: 1, 'failed.at': -1 },
      partialFilterExpression: { failed: { $exists: true } },
    },
    // What is left of feeds that are over.
    { name: 'feed', key: { feed_id: 1 } },
  ],
  webhook_events: [
    // What waits: for the node of its partition, in the order of each stream, and to be counted.
    { name: 'stream', key: { webhook_id: 1, partition: 1, stream: 1, number: 1 } },
  ],
};

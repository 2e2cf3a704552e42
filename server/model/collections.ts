/** The typed collections; no other file knows their names. */
import type { Collection, Db } from 'mongodb';
import type { PasswordResetDocument, SessionDocument, UserDocument } from './documents/accounts.ts';
import type { CallDocument } from './documents/calls.ts';
import type { JobDocument, NodeDocument, PartitionDocument } from './documents/cluster.ts';
import type { ContactDocument } from './documents/contacts.ts';
import type {
  ConversationDocument,
  DraftDocument,
  LocatorDocument,
  MembershipDocument,
} from './documents/conversations.ts';
import type { GroupDocument, JoinRequestDocument } from './documents/groups.ts';
import type { FileDocument, MediaDocument, PendingUploadDocument, UploadUsageDocument } from './documents/media.ts';
import type {
  CountedReactionDocument,
  GroupMessageDocument,
  PairMessageDocument,
  RevisionDocument,
  SavedDocument,
  ThreadMarkDocument,
} from './documents/messages.ts';
import type { ServerKeyDocument } from './documents/operator.ts';
import type { PresenceDocument } from './documents/presence.ts';
import type { PushAcknowledgementDocument, PushJobDocument, PushSubscriptionDocument } from './documents/push.ts';
import type { WebhookCursorDocument, WebhookDocument, WebhookEventDocument } from './documents/webhooks.ts';

export interface Collections {
  users: Collection<UserDocument>;
  messages: Collection<PairMessageDocument>;
  group_messages: Collection<GroupMessageDocument>;
  groups: Collection<GroupDocument>;
  join_requests: Collection<JoinRequestDocument>;
  contacts: Collection<ContactDocument>;
  calls: Collection<CallDocument>;
  media: Collection<MediaDocument>;
  presence: Collection<PresenceDocument>;
  files: Collection<FileDocument>;
  pending_uploads: Collection<PendingUploadDocument>;
  upload_usage: Collection<UploadUsageDocument>;
  password_reset_tokens: Collection<PasswordResetDocument>;
  sessions: Collection<SessionDocument>;
  conversations: Collection<ConversationDocument>;
  memberships: Collection<MembershipDocument>;
  jobs: Collection<JobDocument>;
  nodes: Collection<NodeDocument>;
  partitions: Collection<PartitionDocument>;
  webhooks: Collection<WebhookDocument>;
  webhook_cursors: Collection<WebhookCursorDocument>;
  webhook_events: Collection<WebhookEventDocument>;
  locators: Collection<LocatorDocument>;
  counted_reactions: Collection<CountedReactionDocument>;
  push_subscriptions: Collection<PushSubscriptionDocument>;
  revisions: Collection<RevisionDocument>;
  drafts: Collection<DraftDocument>;
  saved: Collection<SavedDocument>;
  thread_marks: Collection<ThreadMarkDocument>;
  server_keys: Collection<ServerKeyDocument>;
  push_jobs: Collection<PushJobDocument>;
  push_acknowledgements: Collection<PushAcknowledgementDocument>;
}

export type CollectionName = keyof Collections;

/** @returns handles on the collections of a database, without reading or writing anything */
export function collections(db: Db): Collections {
  return {
    users: db.collection('users'),
    messages: db.collection('messages'),
    group_messages: db.collection('group_messages'),
    groups: db.collection('groups'),
    join_requests: db.collection('join_requests'),
    contacts: db.collection('contacts'),
    calls: db.collection('calls'),
    media: db.collection('media'),
    presence: db.collection('presence'),
    files: db.collection('files'),
    pending_uploads: db.collection('pending_uploads'),
    upload_usage: db.collection('upload_usage'),
    password_reset_tokens: db.collection('password_reset_tokens'),
    sessions: db.collection('sessions'),
    conversations: db.collection('conversations'),
    memberships: db.collection('memberships'),
    jobs: db.collection('jobs'),
    nodes: db.collection('nodes'),
    partitions: db.collection('partitions'),
    webhooks: db.collection('webhooks'),
    webhook_cursors: db.collection('webhook_cursors'),
    webhook_events: db.collection('webhook_events'),
    locators: db.collection('locators'),
    counted_reactions: db.collection('counted_reactions'),
    push_subscriptions: db.collection('push_subscriptions'),
    revisions: db.collection('revisions'),
    drafts: db.collection('drafts'),
    saved: db.collection('saved'),
    thread_marks: db.collection('thread_marks'),
    server_keys: db.collection('server_keys'),
    push_jobs: db.collection('push_jobs'),
    push_acknowledgements: db.collection('push_acknowledgements'),
  };
}

/** Every check, in the order in which repairs build on each other. */
import type { Check } from './check.ts';
import { calls } from './checks/calls.ts';
import { groupSummaries, locators, placement, summaries } from './checks/conversations.ts';
import { groups } from './checks/groups.ts';
import { documents, indexes, validation } from './checks/installation.ts';
import { inviteKeys, joinRequests } from './checks/invitations.ts';
import { drafts, saved } from './checks/kept.ts';
import { marks, unsettled } from './checks/marks.ts';
import { groupMemberships, pairMemberships, strayMemberships } from './checks/memberships.ts';
import { attachments, reactions, terms } from './checks/messages.ts';
import { revGaps, seqGaps } from './checks/order.ts';
import { pushJobs, pushSubscriptions, webhookCursors } from './checks/outgoing.ts';
import { contacts, sessions, userKeys } from './checks/people.ts';
import { mentions, revisions, tombstones } from './checks/texts.ts';
import { threadMarks, threads } from './checks/threads.ts';
import { missingBytes, strayBytes, usage } from './checks/uploads.ts';

export const CHECKS: readonly Check[] = [
  // Other checks rely on the indexes.
  indexes,
  validation,
  documents,
  seqGaps,
  revGaps,
  placement,
  groups,
  summaries,
  groupSummaries,
  locators,
  groupMemberships,
  strayMemberships,
  pairMemberships,
  marks,
  unsettled,
  terms,
  reactions,
  attachments,
  threads,
  threadMarks,
  mentions,
  tombstones,
  revisions,
  saved,
  drafts,
  userKeys,
  sessions,
  contacts,
  inviteKeys,
  joinRequests,
  calls,
  pushSubscriptions,
  pushJobs,
  webhookCursors,
  missingBytes,
  strayBytes,
  usage,
];

/** Decides jobs at the moment when their pushes would go out: what was muted, blocked, read or ended by now is not sent. */
import { groupBy } from '../../lib/group-by.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { PushJobDocument } from '../../model/documents/push.ts';
import { decideCall } from './call-decision.ts';
import { type ConversationSources, decideConversations } from './conversations.ts';
import type { Decision, Situation } from './decision.ts';
import { passOver, requestPush, requestToPush } from './request-decision.ts';
import { readSituations, type SituationSources } from './situations.ts';
import { readUnread } from './unread.ts';

export interface DecideOptions extends Omit<ConversationSources, 'collections'>, Omit<SituationSources, 'collections'> {
  collections: Collections;
  ringTimeoutMs: number;
}

export interface Decided extends Situation {
  decision: Decision;
}

export interface Outcome {
  decided: Decided[];
  orphans: PushJobDocument[];
  ended: PushJobDocument[];
}

export function createDecide(options: DecideOptions): (jobs: readonly PushJobDocument[]) => Promise<Outcome> {
  const decideAll: Record<PushJobDocument['kind'], (situations: readonly Situation[]) => Promise<Decision[]>> = {
    conversation: (situations) => decideConversations(options, situations),
    call: (situations) => decideCalls(options, situations),
    request: (situations) => decideRequests(options, situations),
  };
  return async (jobs) => {
    const { there, orphans, ended } = await readSituations(options, jobs);
    const decided = await Promise.all(
      [...groupBy(there, ({ job }) => job.kind)].map(async ([kind, situations]) => {
        const decisions = await decideAll[kind as PushJobDocument['kind']](situations);
        return situations.map((situation, i) => ({ ...situation, decision: decisions[i]! }));
      }),
    );
    return { decided: decided.flat(), orphans, ended };
  };
}

async function decideCalls(options: DecideOptions, situations: readonly Situation[]): Promise<Decision[]> {
  const { collections, acknowledgements, readPeople, ringTimeoutMs, clock } = options;
  const ids = [...new Set(situations.map(({ job }) => job.subject))].map(fromId);
  const keys = situations.map(({ job }) => ({ sessionId: job.session_id.toHexString(), subject: job.subject }));
  const [calls, taken] = await Promise.all([
    collections.calls.find({ _id: { $in: ids } }, { batchSize: ids.length + 1 }).toArray(),
    acknowledgements.read(keys),
  ]);
  const callOf = new Map(calls.map((call) => [call._id.toHexString(), call]));
  const groupIds = calls.flatMap(({ group_id }) => group_id ?? []);
  const [people, groups] = await Promise.all([
    readPeople(calls.map(({ caller_id }) => caller_id)),
    groupIds.length === 0
      ? []
      : collections.groups.find({ _id: { $in: groupIds } }, { projection: { name: 1 } }).toArray(),
  ]);
  const nameOf = new Map(groups.map(({ _id, name }) => [_id.toHexString(), name]));
  return situations.map((situation, i) => {
    const call = callOf.get(situation.job.subject);
    return decideCall(situation, {
      call,
      caller: call && people.get(call.caller_id.toHexString()),
      groupName: call?.group_id && nameOf.get(call.group_id.toHexString()),
      isTaken: taken[i]!.read_seq > 0,
      ringTimeoutMs,
      now: clock(),
    });
  });
}

async function decideRequests(options: DecideOptions, situations: readonly Situation[]): Promise<Decision[]> {
  const { collections, readPeople, unreadOf } = options;
  const found = await collections.contacts
    .find({
      user_id: { $in: situations.map(({ job }) => job.user_id) },
      contact_id: { $in: situations.map(({ job }) => fromId(job.subject)) },
    })
    .toArray();
  const contactOf = new Map(
    found.map((contact) => [`${contact.user_id.toHexString()} ${contact.contact_id.toHexString()}`, contact]),
  );
  const people = await readPeople(situations.map(({ job }) => fromId(job.subject)));
  const requests = situations.map((situation) => {
    const { user_id, subject } = situation.job;
    const contact = contactOf.get(`${user_id.toHexString()} ${subject}`);
    return { situation, contact, asked: requestToPush(situation, contact), from: people.get(subject) };
  });
  const unread = await readUnread(
    unreadOf,
    requests.flatMap(({ situation, asked }) => (asked ? [situation.job.user_id] : [])),
  );
  return requests.map(({ situation, contact, asked, from }): Decision => {
    if (!asked || !from) return passOver(situation, contact);
    return requestPush(situation, asked, from, unread.get(situation.job.user_id.toHexString())!.badge);
  });
}

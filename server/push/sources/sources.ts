/**
 * Where jobs come from: conversations that changed, calls that ring, contact requests. A node takes part once there is
 * a subscription; before that it only asks whether there is one, every ten seconds.
 */
import type { Logger } from 'pino';
import type { PartitionMember, Partitions } from '../../cluster/partitions.ts';
import type { ChangedConversations } from '../../conversations/changed-conversations.ts';
import { every } from '../../lib/every.ts';
import { type ChangesToJobsOptions, createChangesToJobs } from './changed-conversations.ts';
import { type ContactRequestsOptions, createContactRequests } from './contact-requests.ts';
import { createRingingCalls, type RingingCallsOptions } from './ringing-calls.ts';

const LOOK_FOR_CALLS_MS = 500;
const LOOK_FOR_REQUESTS_MS = 1000;
const LOOK_FOR_SUBSCRIPTIONS_MS = 10_000;
/** The partition whose node looks for calls and requests. */
const LOOKING_PARTITION = 0;

export interface Sources {
  /** There is a subscription: this node takes part. */
  begin(): void;
  close(): void;
}

export interface SourcesOptions extends ChangesToJobsOptions {
  collections: (ContactRequestsOptions & RingingCallsOptions)['collections'];
  changed: Pick<ChangedConversations, 'follow'>;
  partitions: Pick<Partitions, 'owns' | 'join'>;
  isAnySubscription(): Promise<boolean>;
  /** From now on jobs may become due. */
  onBegun(): void;
  log: Logger;
}

export function createSources(options: SourcesOptions): Sources {
  const { isAnySubscription, log } = options;
  let taken: { close(): void } | undefined;

  function begin(): void {
    taken ??= takePart(options);
  }

  async function look(): Promise<void> {
    if (!taken && (await isAnySubscription())) begin();
  }
  const onError = (err: unknown) => log.debug({ err }, 'subscriptions could not be looked for; trying again');
  const looking = every(LOOK_FOR_SUBSCRIPTIONS_MS, look, onError);
  look().catch(onError);

  return {
    begin,
    close() {
      looking.close();
      taken?.close();
    },
  };
}

function takePart(options: SourcesOptions): { close(): void } {
  const { changed, partitions, clock, log } = options;
  const changes = createChangesToJobs(options);
  const lookForCalls = createRingingCalls(options);
  const requests = createContactRequests(options);
  const isMine = async (look: () => Promise<void>) => {
    if (partitions.owns(LOOKING_PARTITION)) await look();
  };
  const onError = (err: unknown) => log.debug({ err }, 'nothing could be looked for to push; trying again');
  const member: PartitionMember = {
    gained(from) {
      if (from.has(LOOKING_PARTITION)) requests.restart();
    },
    lost: () => {},
  };
  const leave = partitions.join(member);
  const following = changed.follow(changes, clock());
  const calls = every(LOOK_FOR_CALLS_MS, () => isMine(lookForCalls), onError);
  const asked = every(LOOK_FOR_REQUESTS_MS, () => isMine(requests.look), onError);
  options.onBegun();
  return {
    close() {
      calls.close();
      asked.close();
      leave();
      following.close();
      changes.close();
    },
  };
}

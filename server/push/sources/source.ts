/** What every source of jobs needs. */
import type { PushSubscriptionDocument } from '../../model/documents/push.ts';
import type { PushJobStore } from '../jobs/job-store.ts';

export interface SourceOptions {
  jobs: Pick<PushJobStore, 'knock'>;
  /** The subscriptions of users, of providers that are set up, each with its lane. */
  subscriptionsOf(userIds: string[]): Promise<{ subscription: PushSubscriptionDocument; lane: string }[]>;
  /** The sessions among those of the users that have a connection. */
  connectedOf(userIds: string[]): Promise<Pick<Set<string>, 'has'>>;
  /** Jobs may be due. */
  onStored(): void;
  clock(): Date;
}

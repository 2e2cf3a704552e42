/** Whom to push to: subscriptions with their providers, and the sessions that have a connection. */
import type { PushProvider } from '../../shared/contract/push.ts';
import type { PushSubscriptionDocument } from '../model/documents/push.ts';
import type { Provider } from './providers/provider.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export interface SubscribersOptions {
  store: Pick<SubscriptionStore, 'ofUsers'>;
  providers: Partial<Record<PushProvider, Provider>>;
  /** Whether a session has a connection to this node. */
  isConnectedHere(sessionId: string): boolean;
  /** The sessions of users that have one, on other nodes at least. */
  sessionsOf(userIds: string[]): Promise<string[]>;
}

export interface Subscribers {
  /** The subscriptions of users, of providers that are set up, each with its lane. */
  subscriptionsOf(userIds: string[]): Promise<{ subscription: PushSubscriptionDocument; lane: string }[]>;
  /** The sessions among those of the users that have a connection. Answers `has` alone. */
  connectedOf(userIds: string[]): Promise<Pick<Set<string>, 'has'>>;
}

export function createSubscribers({ store, providers, isConnectedHere, sessionsOf }: SubscribersOptions): Subscribers {
  return {
    async subscriptionsOf(userIds) {
      const found = await store.ofUsers(userIds);
      return found.flatMap((subscription) => {
        const provider = providers[subscription.provider];
        return provider ? [{ subscription, lane: provider.laneOf(subscription) }] : [];
      });
    },
    async connectedOf(userIds) {
      const elsewhere = new Set(await sessionsOf([...new Set(userIds)]));
      return { has: (sessionId) => isConnectedHere(sessionId) || elsewhere.has(sessionId) };
    },
  };
}

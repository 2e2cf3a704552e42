/** The commands `push:*` (PROTOCOL section 15). They concern the caller's session. */
import type { PushProvider } from '../../shared/contract/push.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { CheckEndpoint } from './named.ts';
import { namedBy } from './named.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export interface PushCommandOptions {
  store: SubscriptionStore;
  /** Whether a provider is set up. */
  isSetUp(provider: PushProvider): boolean;
  checkEndpoint: CheckEndpoint;
  /** A session of the user has named a subscription. */
  onNamed(userId: string): void;
}

export function createPushCommands(options: PushCommandOptions): HandlersOf<'push'> {
  const { store, isSetUp, checkEndpoint, onNamed } = options;
  return {
    async 'push:subscribe'(caller, payload) {
      if (!isSetUp(payload.provider)) throw invalid('provider', 'is not set up on this server');
      const named = await namedBy(payload, checkEndpoint);
      const id = await store.name(named, caller);
      onNamed(caller.id);
      return { subscription_id: id.toHexString() };
    },
    async 'push:unsubscribe'({ sessionId }, { subscription_id }) {
      if (!(await store.remove(fromId(subscription_id), sessionId))) throw notFound('no such subscription');
      return {};
    },
    async 'push:list'({ sessionId }) {
      const found = await store.ofSession(sessionId);
      return {
        subscriptions: found.map(({ _id, provider, created_at }) => ({
          subscription_id: _id.toHexString(),
          provider,
          created_at: created_at.toISOString(),
        })),
      };
    },
  };
}

/** The commands `presence:*` (PROTOCOL section 6). */
import type { Audience } from '../conversations/audience.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { KeyedQueue } from '../lib/keyed-queue.ts';
import type { Connections } from './connections.ts';
import { type PresenceStore, toPresence } from './presence-store.ts';
import type { Settlement } from './settlement.ts';

export interface PresenceCommandOptions {
  audience: Pick<Audience, 'seesPresence'>;
  store: PresenceStore;
  /** The work of each user, by user id. */
  queue: KeyedQueue;
  connections: Connections;
  settlement: Settlement;
}

export function createPresenceCommands(options: PresenceCommandOptions): HandlersOf<'presence'> {
  const { audience, store, queue, connections, settlement } = options;
  return {
    'presence:set'({ id, socketId }, { status, custom_status, device_info }, dueAt) {
      const details = {
        ...(custom_status === undefined ? {} : { custom_status }),
        ...(device_info === undefined ? {} : { device_info }),
      };
      const set = async () => {
        await connections.set(id, socketId, status);
        await settlement.settle(id, details);
        const document = (await store.read([id])).get(id);
        return { presence: document ? toPresence(document) : (await store.readHidden([id])).get(id)! };
      };
      return queue.run(id, set, dueAt);
    },

    async 'presence:get'({ id }, { user_ids }) {
      // Users who have just connected here are shown so, although that is still being written.
      await Promise.all(user_ids.map(queue.settled));
      const visible = await audience.seesPresence(id, user_ids);
      const seen = user_ids.filter((_, i) => visible[i]);
      const [documents, hidden] = await Promise.all([store.read(seen), store.readHidden(user_ids)]);
      const presences = user_ids.flatMap((userId) => {
        const document = documents.get(userId);
        return document ? [toPresence(document)] : (hidden.get(userId) ?? []);
      });
      return { presences };
    },
  };
}

/** Tells a user's devices here how the user's view of a conversation is, when it has changed. */
import type { Logger } from 'pino';
import type { Delivery } from '../delivery/delivery.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { fromId } from '../model/codec.ts';
import type { ConversationViews } from './views.ts';

export interface OwnDevicesOptions {
  delivery: Pick<Delivery, 'onViewChanged' | 'apply'>;
  views: Pick<ConversationViews, 'current'>;
  log: Logger;
}

/** Only a node that has such a device makes the view. Changes in quick succession count as one. */
export function tellOwnDevices({ delivery, views, log }: OwnDevicesOptions): void {
  const queue = createKeyedQueue('own devices');
  /** The device that is left out, by the view that is about to be made; undefined where none is. */
  const waiting = new Map<string, string | undefined>();

  async function tell(userId: string, conversationId: string, exceptSocket: string | undefined): Promise<void> {
    const current = await views.current(fromId(userId), conversationId);
    if (!current) return;
    const { conversation, state } = current;
    delivery.apply({
      kind: 'event',
      to: { users: [userId] },
      event: 'conversation:updated',
      payload: { conversation },
      except: { socket: exceptSocket },
      state,
    });
  }

  delivery.onViewChanged((userId, conversationId, exceptSocket) => {
    const key = `${userId} ${conversationId}`;
    if (waiting.has(key)) {
      // Another device acted as well: both are told.
      if (waiting.get(key) !== exceptSocket) waiting.set(key, undefined);
      return;
    }
    waiting.set(key, exceptSocket);
    queue
      .run(key, () => {
        const except = waiting.get(key);
        waiting.delete(key);
        return tell(userId, conversationId, except);
      })
      .catch((err: unknown) => log.warn({ err }, 'own devices are not told of a reading'));
  });
}

/**
 * Settling what a user's devices add up to. The devices are in the registry; the presence document holds the sum, and is
 * written only when that changes: a storm of connections of one user costs one write.
 */
import { fromId } from '../model/codec.ts';
import type { DeviceInfo } from '../model/documents/accounts.ts';
import type { PresenceDocument } from '../model/documents/presence.ts';
import type { Departures } from './departures.ts';
import type { DeviceRegistry } from './devices.ts';
import type { PresenceStore } from './presence-store.ts';
import { aggregate, type Status } from './status.ts';
import type { Watchers } from './watchers.ts';

/** What a user sets by hand besides the status. */
export type Details = Pick<PresenceDocument, 'custom_status' | 'device_info'>;

export interface Settlement {
  /**
   * Writes what the devices add up to, if it is news, and tells the contacts. Nobody goes offline before the grace
   * period of the device that left last, on this node or another, is over; the user is looked at again then. Call it
   * for one user at a time.
   * @param details set by hand: news in any case
   * @param info of a device that has just connected: kept if its connection is news, not if it came back
   */
  settle(userId: string, details?: Details, info?: DeviceInfo): Promise<void>;
  /** Drops what is known of the document: the next settlement writes, even if nothing changed here. */
  forget(userId: string): void;
}

export interface SettlementOptions {
  store: PresenceStore;
  devices: DeviceRegistry;
  departures: Departures;
  watchers: Watchers;
  /** Looks at the user again in so many milliseconds. */
  lookAgain(userId: string, ms: number): void;
  clock(): Date;
}

export function createSettlement(options: SettlementOptions): Settlement {
  const { store, devices, departures, watchers, lookAgain, clock } = options;
  /** What the document says of users with devices here. Of no use if other nodes write it too. */
  const known = new Map<string, Status>();

  /** Writes a status, and what goes with it, if another one is stored; resolves with whether there was. */
  async function turnTo(userId: string, status: Status, isGone: boolean, now: Date, extra: Details): Promise<boolean> {
    const _id = fromId(userId);
    const news = {
      filter: { _id, status: { $ne: status } },
      set: { user_id: _id, status, last_active: now, ...extra },
    };
    const turned = isGone ? await store.update(news) : await store.upsert(news);
    if (isGone) known.delete(userId);
    else known.set(userId, status);
    // Users who appear offline were last seen when that began, whatever happens meanwhile.
    if (turned && status === 'offline') await store.setLastSeen(userId, now);
    return turned;
  }

  async function settle(userId: string, details: Details = {}, info?: DeviceInfo): Promise<void> {
    const [statuses = []] = await devices.statuses([userId]);
    const status = aggregate(statuses);
    const hasDetails = Object.keys(details).length > 0;
    if (!devices.isShared && known.get(userId) === status && !hasDetails) return;
    const now = clock();
    const isGone = statuses.length === 0;
    if (isGone) {
      const left = await departures.graceLeft(userId);
      if (left > 0) return lookAgain(userId, left);
    }
    let changed = await turnTo(userId, status, isGone, now, { ...(info ? { device_info: info } : {}), ...details });
    if (!changed && hasDetails) {
      const set = { ...details, ...(status === 'offline' ? {} : { last_active: now }) };
      changed = await store.update({ filter: { _id: fromId(userId) }, set });
    }
    if (!changed) return;
    await watchers.tell(userId);
    // Another node may have read the registry earlier and written later: whoever wrote looks once more.
    const [after = []] = await devices.statuses([userId]);
    if (aggregate(after) !== status) await settle(userId);
  }

  return {
    settle,
    forget: (userId) => void known.delete(userId),
  };
}

/**
 * Who is there (PROTOCOL section 6). The devices are in the registry; the `presence` document holds what they come to,
 * and is written only when that changes: a storm of connections of one user costs one write.
 */
import type { Filter } from 'mongodb';
import type { Logger } from 'pino';
import type { Presence } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import { upsertAll } from '../model/batches.ts';
import type { Collections } from '../model/collections.ts';
import type { DeviceInfo } from '../model/documents/accounts.ts';
import type { PresenceDocument } from '../model/documents/presence.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller, DeviceCaller } from '../dispatch/caller.ts';
import { stateOf } from '../model/state.ts';
import type { Audience } from '../conversations/audience.ts';
import type { Departures } from './departures.ts';
import { aggregate, type DeviceRegistry, type Status } from './devices.ts';
import { batched } from '../lib/group-commit.ts';

const NEXT_VERSION = { version: 1 };
/** How long after a failure it is tried again, in milliseconds. */
const RETRY_MS = 2000;

export interface PresenceOptions {
  collections: Collections;
  audience: Audience;
  devices: DeviceRegistry;
  departures: Departures;
  bus: Bus;
  /** How long a user stays shown after the last device is gone, in milliseconds. */
  graceMs: number;
  clock(): Date;
  log: Logger;
}

export interface PresenceService {
  connected(userId: string, sessionId: string, device: string, info: DeviceInfo | undefined): void;
  disconnected(userId: string, sessionId: string, device: string): void;
  set(caller: DeviceCaller, payload: CommandPayload<'presence:set'>): Promise<{ presence: Presence }>;
  get(caller: Caller, userIds: string[]): Promise<{ presences: Presence[] }>;
  /** Whether the viewer is an accepted contact of each user, in the order asked; oneself always. */
  maySee(viewerId: string, userIds: string[]): Promise<boolean[]>;
  /** Two people became contacts: both are told of the other's presence. */
  becameContacts(one: string, other: string): Promise<void>;
  /** Takes offline whom an earlier run left online, once the grace to come back is over. */
  settleEarlierRun(): void;
  close(): void;
}

/** What is written of a user, where the filter finds that it is news. */
interface News {
  filter: Filter<PresenceDocument>;
  set: Partial<PresenceDocument>;
}

/** What a device may be told of a change besides its status. */
type Details = Pick<PresenceDocument, 'custom_status' | 'device_info'>;

export function createPresence(options: PresenceOptions): PresenceService {
  const { collections, audience, devices, departures, bus, graceMs, clock, log } = options;
  const { presence, contacts, users } = collections;
  /** What the document says of users with devices here. Of no use where other nodes write it, too. */
  const known = new Map<string, Status>();
  /** One settlement at a time for each user. */
  const settling = new Map<string, Promise<unknown>>();
  /** What each device here is set to. */
  const statusOf = new Map<string, Status>();
  /** Until when users are shown whose devices are gone. */
  const graces = new Map<string, NodeJS.Timeout>();
  let earlierRun: NodeJS.Timeout | undefined;

  /** Runs after what is under way for this user. */
  function inTurn<T>(userId: string, run: () => Promise<T>): Promise<T> {
    const turn = (settling.get(userId) ?? Promise.resolve()).then(run, run);
    settling.set(userId, turn);
    const forget = () => {
      if (settling.get(userId) === turn) settling.delete(userId);
    };
    turn.then(forget, forget);
    return turn;
  }

  /** Nobody asks again for what fails here, so this does: the store comes back. */
  function inBackground(userId: string, what: Promise<unknown>): Promise<unknown> {
    return what.catch((err) => {
      log.warn({ err }, 'presence could not be stored; trying again');
      settleAfter(userId, RETRY_MS);
    });
  }

  function settleAgain(userId: string): Promise<unknown> {
    const settling = inTurn(userId, () => {
      known.delete(userId);
      return settle(userId);
    });
    return inBackground(userId, settling);
  }

  function settleAfter(userId: string, ms: number): void {
    clearTimeout(graces.get(userId));
    const timer = setTimeout(() => {
      if (graces.get(userId) === timer) graces.delete(userId);
      void settleAgain(userId);
    }, ms);
    timer.unref();
    graces.set(userId, timer);
  }

  const toPresence = ({ version: _, ...document }: PresenceDocument): Presence => toWire(document);

  /** @param version of the document; 0 where there was none: one that was made meanwhile may have been told already */
  function emit(users: string[], presence: Presence, version = 0): void {
    const state = stateOf('presence', presence.user_id, version);
    bus.emit({ users }, 'presence:changed', { presence }, undefined, state);
  }

  async function tell(userId: string): Promise<void> {
    const users = await audience.contactsOf(userId);
    const document = users.length > 0 ? (await read([userId])).get(userId) : undefined;
    if (document) emit(users, toPresence(document), document.version);
  }

  /** Writes what users with devices are shown as, for all who come at once; whether that was news. */
  const show = batched((news: readonly News[]) =>
    // A duplicate is there and says so already.
    upsertAll(
      presence,
      news.map(({ filter, set }) => ({ filter, update: { $set: set, $inc: NEXT_VERSION } })),
    ),
  );

  /** The same of a user who has a document. */
  async function alter({ filter, set }: News): Promise<boolean> {
    return (await presence.updateOne(filter, { $set: set, $inc: NEXT_VERSION })).matchedCount === 1;
  }

  /**
   * Writes what the devices come to, if it is news, and tells the contacts. Nobody goes offline before the grace of the
   * device that left last, here or on another node, is over: it is looked at again then.
   * @param details what the user set by hand: news in any case
   * @param info of a device that has just connected: kept where its connection is news, not where it came back
   */
  async function settle(userId: string, details: Details = {}, info?: DeviceInfo): Promise<void> {
    const [statuses] = await devices.statuses([userId]);
    const status = aggregate(statuses ?? []);
    const hasDetails = Object.keys(details).length > 0;
    if (!devices.isShared && known.get(userId) === status && !hasDetails) return;
    const _id = fromId(userId);
    const now = clock();
    const isGone = statuses?.length === 0;
    if (isGone) {
      const left = await departures.graceLeft(userId);
      if (left > 0) return settleAfter(userId, left);
    }
    const turned: News = {
      filter: { _id, status: { $ne: status } },
      set: { user_id: _id, status, last_active: now, ...(info ? { device_info: info } : {}), ...details },
    };
    let changed = isGone ? await alter(turned) : await show(turned);
    if (isGone) known.delete(userId);
    else known.set(userId, status);
    // Who appears offline was last seen when that began, whatever happens meanwhile.
    if (changed && status === 'offline') await users.updateOne({ _id }, { $max: { last_seen: now } });
    if (!changed && hasDetails) {
      const set = { ...details, ...(status === 'offline' ? {} : { last_active: now }) };
      changed = await alter({ filter: { _id }, set });
    }
    if (!changed) return;
    await tell(userId);
    // Another node may have read the registry before and written after: whoever wrote looks once more.
    const [after] = await devices.statuses([userId]);
    if (aggregate(after ?? []) !== status) await settle(userId);
  }

  async function read(userIds: string[]): Promise<Map<string, PresenceDocument>> {
    const found = await presence.find({ _id: { $in: userIds.map(fromId) } }).toArray();
    return new Map(found.map((document) => [document._id.toHexString(), document]));
  }

  async function maySee(viewerId: string, userIds: string[]): Promise<boolean[]> {
    const found = await contacts
      .find(
        { user_id: fromId(viewerId), contact_id: { $in: userIds.map(fromId) }, status: 'accepted' },
        { projection: { _id: 0, contact_id: 1 } },
      )
      .toArray();
    const accepted = new Set(found.map((contact) => contact.contact_id.toHexString()));
    return userIds.map((id) => id === viewerId || accepted.has(id));
  }

  /** What the contract shows to who may not see more, and of who was never there. */
  async function hidden(userIds: string[]): Promise<Map<string, Presence>> {
    const found = await users.find({ _id: { $in: userIds.map(fromId) } }, { projection: { created_at: 1 } }).toArray();
    return new Map(
      found.map(({ _id, created_at }) => [
        _id.toHexString(),
        toWire({ _id, user_id: _id, status: 'offline' as const, last_active: created_at }),
      ]),
    );
  }

  return {
    connected(userId, sessionId, device, info) {
      void inBackground(
        userId,
        inTurn(userId, async () => {
          const status = (await departures.statusOf(sessionId)) ?? 'online';
          statusOf.set(device, status);
          await devices.put(userId, device, status);
          await settle(userId, {}, info);
        }),
      );
    },

    disconnected(userId, sessionId, device) {
      void inBackground(
        userId,
        inTurn(userId, async () => {
          const status = statusOf.get(device) ?? 'online';
          statusOf.delete(device);
          // Without a device here, this node is not asked before another one writes.
          known.delete(userId);
          await Promise.all([devices.remove(userId, device), departures.add(userId, sessionId, status)]);
        }),
      );
      settleAfter(userId, graceMs);
    },

    async set({ id, socketId }, { status, custom_status, device_info }) {
      const details = {
        ...(custom_status === undefined ? {} : { custom_status }),
        ...(device_info === undefined ? {} : { device_info }),
      };
      return inTurn(id, async () => {
        // Not where the device has gone meanwhile: nobody would take it out again.
        if (statusOf.has(socketId)) {
          statusOf.set(socketId, status);
          await devices.put(id, socketId, status);
        }
        await settle(id, details);
        const document = (await read([id])).get(id);
        return { presence: document ? toPresence(document) : (await hidden([id])).get(id)! };
      });
    },

    async get({ id }, userIds) {
      // Who has just connected here is shown so, although it is still being written.
      await Promise.allSettled(userIds.map((userId) => settling.get(userId)));
      const visible = await maySee(id, userIds);
      const seen = userIds.filter((_, i) => visible[i]);
      const [documents, others] = await Promise.all([read(seen), hidden(userIds)]);
      const presences = userIds.flatMap((userId) => {
        const document = documents.get(userId);
        return document ? [toPresence(document)] : (others.get(userId) ?? []);
      });
      return { presences };
    },

    maySee,

    async becameContacts(one, other) {
      const documents = await read([one, other]);
      for (const [subject, viewer] of [
        [one, other],
        [other, one],
      ] as const) {
        const document = documents.get(subject);
        const shown = document ? toPresence(document) : (await hidden([subject])).get(subject);
        if (shown) emit([viewer], shown, document?.version);
      }
    },

    settleEarlierRun() {
      const settleAll = async () => {
        for await (const { user_id } of presence.find({ status: { $in: ['online', 'away', 'busy'] } })) {
          await settleAgain(user_id.toHexString());
        }
      };
      const settleAllAfter = (ms: number) => {
        clearTimeout(earlierRun);
        earlierRun = setTimeout(() => {
          settleAll().catch((err) => {
            log.warn({ err }, 'who is shown online could not be read; trying again');
            settleAllAfter(RETRY_MS);
          });
        }, ms);
        earlierRun.unref();
      };
      settleAllAfter(graceMs);
      devices.onVanished((userIds) => {
        if (userIds) for (const userId of userIds) void settleAgain(userId);
        else settleAllAfter(0);
      });
    },

    close() {
      clearTimeout(earlierRun);
      for (const timer of graces.values()) clearTimeout(timer);
    },
  };
}

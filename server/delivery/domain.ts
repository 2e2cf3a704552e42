/** Delivery of a node, put together: the bus, what it does to this node's sockets, and repair over several nodes. */
import type { Logger } from 'pino';
import { type Bus, createBus, createMemoryBroker } from '../bus/bus.ts';
import { createRedisBroker } from '../bus/redis-broker.ts';
import type { RedisLink } from '../bus/redis-link.ts';
import { createRedisSubscriptions, NO_SUBSCRIPTIONS } from '../bus/subscriptions.ts';
import type { Nodes } from '../cluster/nodes.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages } from '../conversations/newest-messages.ts';
import type { Visibility } from '../conversations/visibility.ts';
import type { Collections } from '../model/collections.ts';
import { refFromId } from '../model/conversation-ref.ts';
import { type Actors, createActors } from './actors.ts';
import { createAdmission } from './admission.ts';
import { createArrivals } from './arrivals.ts';
import { createBaselines } from './baseline.ts';
import { createCatchUp } from './catch-up.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createEmitter, type Emitter } from './emit.ts';
import { createFloors } from './floors.ts';
import { createHeldRooms, type HeldRooms } from './held-rooms.ts';
import type { Io } from './io.ts';
import { noteLag } from './lag.ts';
import { createLocalRooms } from './local-rooms.ts';
import { createMemberships } from './memberships.ts';
import { createMissedMessages, storedChange } from './missed-messages.ts';
import { createOutgoing } from './outgoing.ts';
import { startHealing } from './repair/healing.ts';
import { createResync } from './repair/resync.ts';
import { createRevocation } from './revocation.ts';
import { createSequencer, type Sequencer } from './sequencer.ts';

export interface DeliveryDomainOptions {
  io: Io;
  collections: Collections;
  store: MessageStore;
  nodes: Nodes;
  /** Undefined on a single node. */
  redis: RedisLink | undefined;
  visibility: Visibility;
  newest: NewestMessages;
  /** Forgets what was looked up of a topic, or everything. */
  onForget(topic: string | undefined): void;
  /** This node may have missed something. */
  onMissed(): void;
  /** Told how many bytes a user has caused this node to send. */
  onSent(userId: string, bytes: number): void;
  clock(): Date;
  log: Logger;
}

export interface DeliveryDomain {
  bus: Bus;
  delivery: Delivery;
  actors: Actors;
  close(): Promise<void>;
}

interface LocalDelivery {
  delivery: Delivery;
  emitter: Emitter;
  sequencer: Sequencer;
}

/** Over Redis where there is one, else in memory: a single node hears everything that it tells. */
export function createDeliveryDomain(options: DeliveryDomainOptions): DeliveryDomain {
  const { redis } = options;
  const actors = createActors();
  const subscriptions = redis ? createRedisSubscriptions(redis, (since) => cluster?.missed(since)) : NO_SUBSCRIPTIONS;
  const local = createLocalDelivery(options, actors, createHeldRooms(subscriptions));
  const cluster = redis && joinCluster(options, redis, local);
  const broker = cluster?.broker ?? createMemoryBroker(local.delivery.apply);

  return {
    bus: createBus(broker),
    delivery: local.delivery,
    actors,
    async close() {
      cluster?.close();
      local.sequencer.close();
      await broker.close();
    },
  };
}

/** What puts operations onto this node's sockets. */
function createLocalDelivery(options: DeliveryDomainOptions, actors: Actors, held: HeldRooms): LocalDelivery {
  const { io, collections, store, redis, visibility, clock, log } = options;
  const rooms = createLocalRooms(io, clock);
  const floors = createFloors();
  const arrivals = createArrivals();
  const baselines = createBaselines({ collections, store, refFromId, clock });
  const emitter = createEmitter({ io, rooms, floors, actors, countOutgoing: createOutgoing(rooms, options.onSent) });
  const sequencer = createSequencer({
    readChanges: async (...query) => (await store.show(await store.changes(...query))).map(storedChange),
    findBaseline: baselines.find,
    emit(conversation, change) {
      noteLag(change, clock);
      emitter.change(conversation, change);
    },
    coveredSince: rooms.coveredSince,
    clock,
    seesEverything: redis === undefined,
    onError: (err) => log.warn({ err }, 'changes could not be read; trying again'),
  });
  const catchUp = createCatchUp({
    sequencer,
    // Where new members see the whole history, it is not known from where on they miss anything.
    readAbove: visibility.wholeHistory ? async () => [] : createMissedMessages(store),
    emit: emitter.changeTo,
    onError: (err) => log.warn({ err }, 'what somebody missed while joining could not be read; trying again'),
  });
  const memberships = createMemberships({ rooms, held, floors, arrivals, catchUp, sequencer });
  const admission = createAdmission({
    rooms,
    held,
    floors,
    arrivals,
    memberships,
    // A single node delivers everything that is stored: it need not ask.
    noteBaselines: redis && baselines.note,
  });
  const revoke = createRevocation(rooms, arrivals);
  const { newest, onForget } = options;
  const delivery = createDelivery({ emitter, sequencer, memberships, revoke, admission, rooms, newest, onForget });
  return { delivery, emitter, sequencer };
}

/** What a node among others has besides: a broker over Redis, and repair of what was lost. */
function joinCluster(options: DeliveryDomainOptions, redis: RedisLink, local: LocalDelivery) {
  const { collections, nodes, visibility, clock, log } = options;
  const { delivery, emitter, sequencer } = local;
  const resync = createResync({
    collections,
    delivery,
    sequencer,
    refFromId,
    visibility,
    clock,
    isAlone: () => !redis.isUp(),
    onError: (err) => log.warn({ err }, 'what was missed could not be read; trying again'),
  });
  /** @param since what was told after this moment, in milliseconds, may have passed this node by */
  function missed(since: number): void {
    options.onMissed();
    resync.request(since);
  }
  const broker = createRedisBroker({
    link: redis,
    deliver: delivery.apply,
    relay: emitter.relay,
    onResync: missed,
    onError: (err) => log.error({ err }, 'an operation of another node could not be applied'),
  });
  const healing = startHealing({
    collections,
    nodes,
    clock,
    link: redis,
    broker,
    resync: { request: missed },
    onError: (err) => log.warn({ err }, 'the other nodes could not be looked at'),
  });
  return {
    broker,
    missed,
    close() {
      healing.close();
      resync.close();
    },
  };
}

/** The fan-out of a node, put together: delivery to its sockets, their order, and what other nodes tell it. */
import type { Logger } from 'pino';
import type { Collections } from '../model/collections.ts';
import { createMissedMessages } from './missed-messages.ts';
import { refFromId } from '../model/conversation-ref.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { Nodes } from '../cluster/nodes.ts';
import type { RedisLink } from '../bus/redis-link.ts';
import { type Actors, createActors } from './actors.ts';
import { createBaselines } from './baseline.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createBus, createMemoryBroker, type Bus } from '../bus/bus.ts';
import { startHealing } from './repair/healing.ts';
import { createRedisBroker } from '../bus/redis-broker.ts';
import { createResync } from './repair/resync.ts';
import { createSequencer } from './sequencer.ts';
import { NO_SUBSCRIPTIONS } from '../bus/subscriptions.ts';
import type { Io } from './io.ts';
import type { Visibility } from '../conversations/visibility.ts';

export interface DeliveryDomainOptions {
  io: Io;
  collections: Collections;
  store: MessageStore;
  nodes: Nodes;
  /** Undefined on a single node. */
  redis: RedisLink | undefined;
  visibility: Visibility;
  log: Logger;
}

export interface DeliveryDomain {
  bus: Bus;
  delivery: Delivery;
  actors: Actors;
  close(): Promise<void>;
}

/** Over Redis where there is one, else in memory: a single node hears all that it tells. */
export function createDeliveryDomain(options: DeliveryDomainOptions): DeliveryDomain {
  const { io, collections, store, nodes, redis, visibility, log } = options;

  const baselines = createBaselines({ collections, store, refFromId });
  const actors = createActors();
  const delivery = createDelivery({
    io,
    actors,
    sequencer: () => sequencer,
    subscriptions: () => redisBroker ?? NO_SUBSCRIPTIONS,
    // A single node delivers all that is stored: it need not ask.
    noteBaselines: redis && baselines.note,
    readAbove: visibility.wholeHistory ? undefined : createMissedMessages(store),
    onError: (err) => log.warn({ err }, 'what somebody missed while joining could not be read; trying again'),
  });
  const sequencer = createSequencer({
    async readChanges(conversation, aboveRev, limit) {
      const found = await store.changes(conversation, aboveRev, limit);
      return found.map((message) => ({
        rev: message.rev,
        message: toWireMessage(message),
        is_new: false,
        last_seq: message.seq,
      }));
    },
    emit: delivery.emitChange,
    findBaseline: baselines.find,
    coveredSince: delivery.coveredSince,
    seesEverything: redis === undefined,
    onError: (err) => log.warn({ err }, 'changes could not be read; trying again'),
  });
  const resync = createResync({
    collections,
    delivery,
    sequencer,
    refFromId,
    visibility,
    isAlone: () => redis?.isUp() === false,
    onError: (err) => log.warn({ err }, 'what was missed could not be read; trying again'),
  });
  const redisBroker =
    redis &&
    createRedisBroker({
      link: redis,
      deliver: delivery.apply,
      hasSocket: (id) => io.of('/').sockets.has(id),
      onResync: resync.request,
      onError: (err) => log.error({ err }, 'an operation of another node could not be applied'),
    });
  const healing =
    redis &&
    redisBroker &&
    startHealing({
      collections,
      nodes,
      link: redis,
      broker: redisBroker,
      resync,
      onError: (err) => log.warn({ err }, 'the other nodes could not be looked at'),
    });
  const broker = redisBroker ?? createMemoryBroker(delivery.apply);

  return {
    bus: createBus(broker),
    delivery,
    actors,
    async close() {
      healing?.close();
      resync.close();
      sequencer.close();
      await broker.close();
    },
  };
}

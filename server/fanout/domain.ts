/** The fan-out of a node, put together: delivery to its sockets, their order, and what other nodes tell it. */
import type { Logger } from 'pino';
import type { Collections } from '../database/collections.ts';
import { createMissedMessages } from '../groups/missed-messages.ts';
import { refFromId } from '../messaging/conversation-ref.ts';
import type { MessageStore } from '../messaging/message-store.ts';
import { toWireMessage } from '../messaging/message-view.ts';
import type { Nodes } from '../operations/nodes.ts';
import type { RedisLink } from '../redis/link.ts';
import { type Actors, createActors } from './actors.ts';
import { createBaselines } from './baseline.ts';
import { createDelivery, type Delivery, type Io } from './delivery.ts';
import { createFanout, createMemoryBroker, type Fanout } from './fanout.ts';
import { startHealing } from './healing.ts';
import { createRedisBroker } from './redis-broker.ts';
import { createResync } from './resync.ts';
import { createSequencer } from './sequencer.ts';
import { NO_SUBSCRIPTIONS } from './subscriptions.ts';

export interface FanoutDomainOptions {
  io: Io;
  collections: Collections;
  store: MessageStore;
  nodes: Nodes;
  /** Undefined on a single node. */
  redis: RedisLink | undefined;
  /** Whether new members see a group's history from before their joining. */
  historyAll: boolean;
  log: Logger;
}

export interface FanoutDomain {
  fanout: Fanout;
  delivery: Delivery;
  actors: Actors;
  close(): Promise<void>;
}

/** Over Redis where there is one, else in memory: a single node hears all that it tells. */
export function createFanoutDomain(options: FanoutDomainOptions): FanoutDomain {
  const { io, collections, store, nodes, redis, historyAll, log } = options;

  const baselines = createBaselines({ collections, store, refFromId });
  const actors = createActors();
  const delivery = createDelivery({
    io,
    actors,
    sequencer: () => sequencer,
    subscriptions: () => redisBroker ?? NO_SUBSCRIPTIONS,
    // A single node delivers all that is stored: it need not ask.
    noteBaselines: redis && baselines.note,
    readAbove: historyAll ? undefined : createMissedMessages(store),
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
    historyAll,
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
    fanout: createFanout(broker),
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

/** Puts the parts of calls together. */
import type { Logger } from 'pino';
import type { Collections } from '../model/collections.ts';
import type { Bus } from '../bus/bus.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Nodes } from '../cluster/nodes.ts';
import { createCallAccess } from './call-access.ts';
import { createCallHistory } from './call-history.ts';
import { createCallStore } from './call-store.ts';
import { type Calls, createCalls } from './calls.ts';
import { createChanges } from './changes.ts';
import { type IceSettings, iceServersFor } from './ice-servers.ts';
import { createInitiate } from './initiate.ts';
import { createSignals } from './signals.ts';
import { startSweeper } from './sweeper.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

export interface CallDomainOptions {
  collections: Collections;
  bus: Bus;
  access: AccessRules;
  nodes: Nodes;
  /** Whether a socket of this node is connected. */
  isConnected(socketId: string): boolean;
  config: IceSettings & { callRingTimeoutMs: number; callReconnectGraceMs: number; groupCallMax: number };
  clock(): Date;
  log: Logger;
}

export interface CallDomain extends Pick<Calls, 'connected' | 'disconnected' | 'endBetween' | 'removeFromCalls'> {
  handlers: HandlersOf<'call'>;
  /** A user's calls that are not over, and ongoing calls of the user's groups: for `sync`. */
  callsOf: ReturnType<typeof createCallHistory>['callsOf'];
  /** Stops sweeping; the calls stay as they are. */
  close(): Promise<void>;
}

/** Builds the domain and starts its sweeper. */
export function createCallDomain(options: CallDomainOptions): CallDomain {
  const { collections, bus, access, nodes, isConnected, config, clock, log } = options;
  const store = createCallStore(collections);
  const callAccess = createCallAccess(collections, store);
  const changes = createChanges({ store, bus, max: config.groupCallMax, clock });
  const shared = { collections, store, changes, callAccess, bus, nodeId: nodes.id, clock };
  const calls = createCalls({
    ...shared,
    initiate: createInitiate({ ...shared, access, ringTimeoutMs: config.callRingTimeoutMs }),
    isConnected,
    iceServers: (userId) => iceServersFor(config, userId, clock()),
    reconnectGraceMs: config.callReconnectGraceMs,
    log,
  });
  const history = createCallHistory(store, callAccess);
  const { isBlocked } = access;
  const sweeper = startSweeper({ store, changes, calls, callAccess, nodes, isConnected, isBlocked, clock, log });
  return {
    ...calls,
    handlers: {
      'call:initiate': calls.initiate,
      'call:ringing': calls.ringing,
      'call:accept': calls.accept,
      'call:reject': calls.reject,
      'call:join': calls.join,
      'call:leave': calls.leave,
      'call:end': calls.leave,
      'call:signal': createSignals(store, callAccess, bus),
      'call:history': history.page,
    },
    callsOf: history.callsOf,
    close: sweeper.close,
  };
}

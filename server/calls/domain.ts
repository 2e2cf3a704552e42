/** Puts the parts of calls together. */
import type { Logger } from 'pino';
import type { Collections } from '../database/collections.ts';
import type { Fanout } from '../fanout/fanout.ts';
import type { Handlers } from '../gateway/dispatch.ts';
import type { AccessRules } from '../messaging/access.ts';
import type { Nodes } from '../operations/nodes.ts';
import { createCallAccess } from './call-access.ts';
import { createCallHistory } from './call-history.ts';
import { createCallStore } from './call-store.ts';
import { type Calls, createCalls } from './calls.ts';
import { createChanges } from './changes.ts';
import { type CallCommands, callHandlers } from './handlers.ts';
import { type IceSettings, iceServersFor } from './ice-servers.ts';
import { createInitiate } from './initiate.ts';
import { createSignals } from './signals.ts';
import { startSweeper } from './sweeper.ts';

export interface CallDomainOptions {
  collections: Collections;
  fanout: Fanout;
  access: AccessRules;
  nodes: Nodes;
  /** Whether a socket of this node is connected. */
  isConnected(socketId: string): boolean;
  config: IceSettings & { callRingTimeoutMs: number; callReconnectGraceMs: number; groupCallMax: number };
  clock(): Date;
  log: Logger;
}

export interface CallDomain {
  calls: Calls;
  handlers: Pick<Handlers, CallCommands>;
  /** A user's calls that are not over, and ongoing calls of the user's groups: for `sync`. */
  callsOf: ReturnType<typeof createCallHistory>['callsOf'];
  /** Stops sweeping; the calls stay as they are. */
  close(): Promise<void>;
}

/** Builds the domain and starts its sweeper. */
export function createCallDomain(options: CallDomainOptions): CallDomain {
  const { collections, fanout, access, nodes, isConnected, config, clock, log } = options;
  const store = createCallStore(collections);
  const callAccess = createCallAccess(collections, store);
  const changes = createChanges({ store, fanout, max: config.groupCallMax, clock });
  const shared = { collections, store, changes, callAccess, fanout, nodeId: nodes.id, clock };
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
    calls,
    handlers: callHandlers(calls, createSignals(store, callAccess, fanout), history),
    callsOf: history.callsOf,
    close: sweeper.close,
  };
}

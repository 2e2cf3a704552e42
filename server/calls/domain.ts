/** Builds the domain of calls from its parts. */
import type { Logger } from 'pino';
import type { Call as WireCall } from '../../shared/contract/documents.ts';
import type { Bus } from '../bus/bus.ts';
import type { Nodes } from '../cluster/nodes.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import type { Collections } from '../model/collections.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { createCallAccess } from './access.ts';
import { createChanges } from './changes.ts';
import { createCallCommands } from './commands.ts';
import { toCall } from './document.ts';
import { type IceSettings, iceServersFor } from './ice-servers.ts';
import { type ConnectingDevice, createLateRinging } from './late-ringing.ts';
import { createLostAccess, type LostAccess } from './lost-access.ts';
import { createLostConnections, type LostConnections } from './lost-connections.ts';
import { createOpenCalls } from './open-calls.ts';
import { createReconciliation } from './reconciliation.ts';
import { createSignalRelay } from './signal.ts';
import { createCallStore } from './store.ts';
import { startSweeper } from './sweeper.ts';
import { createCallSync } from './sync.ts';
import { toWireCall } from './view.ts';

export interface CallDomainOptions {
  collections: Collections;
  bus: Bus;
  access: AccessRules;
  audience: Audience;
  nodes: Nodes;
  outbox: Outbox;
  /** Whether a socket of this node is connected. */
  isConnected(socketId: string): boolean;
  config: IceSettings & { callRingTimeoutMs: number; callReconnectGraceMs: number; groupCallMax: number };
  clock(): Date;
  log: Logger;
}

export interface CallDomain extends LostAccess, Pick<LostConnections, 'disconnected'> {
  handlers: HandlersOf<'call'>;
  /** A device connected: the calls that ring for its user ring there too. */
  connected(userId: string, device: ConnectingDevice): void;
  /** A user's calls that are not over, and ongoing calls of the groups that the user is in: for `sync`. */
  callsOf(userId: string, groupIds: string[]): Promise<WireCall[]>;
  /** Stops sweeping. The calls stay as they are. */
  close(): Promise<void>;
}

/** Builds the domain and starts its sweeper. */
export function createCallDomain(options: CallDomainOptions): CallDomain {
  const { collections, bus, nodes, config, clock } = options;
  const outbox = options.outbox.source({
    name: 'call',
    collection: collections.calls,
    type: 'call.ended',
    toData: (call) => ({ call: toWireCall(toCall(call)) }),
  });
  const store = createCallStore(collections, outbox);
  const callAccess = createCallAccess(collections, store);
  const parts = {
    ...options,
    nodeId: nodes.id,
    ringTimeoutMs: config.callRingTimeoutMs,
    reconnectGraceMs: config.callReconnectGraceMs,
    iceServers: (userId: string) => iceServersFor(config, userId, clock()),
    store,
    openCalls: createOpenCalls(collections),
    callAccess,
    signals: createSignalRelay({ store, callAccess, bus }),
    changes: createChanges({ store, bus, max: config.groupCallMax, clock }),
  };
  const lostConnections = createLostConnections(parts);
  const lostAccess = createLostAccess(parts);
  const reconciliation = createReconciliation({ ...parts, lostConnections, lostAccess });
  const shortestDeadlineMs = Math.min(config.callRingTimeoutMs, config.callReconnectGraceMs);
  const sweeper = startSweeper({ ...parts, reconciliation, shortestDeadlineMs });
  return {
    ...lostAccess,
    disconnected: lostConnections.disconnected,
    connected: createLateRinging(parts),
    handlers: createCallCommands({ ...parts, lostConnections }),
    callsOf: createCallSync(parts),
    close: sweeper.close,
  };
}

/**
 * What keeps calls from ringing or going on for ever. Every node sweeps, and decides by what is stored: which of them
 * ends a call is settled by the conditional update. It also finds what a crash or an outage kept from being noted.
 */
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Nodes } from '../cluster/nodes.ts';
import { type Call, deviceOf } from './call.ts';
import type { CallAccess } from './call-access.ts';
import type { CallStore } from './call-store.ts';
import type { Calls } from './calls.ts';
import type { Changes } from './changes.ts';

/** How often deadlines are looked for, in milliseconds. */
const SWEEP_MS = 250;
/** How often dead nodes are looked for. */
const DEAD_NODES_MS = 1000;
/** How often this node's seats are compared with its sockets, the groups and the blocks. */
const MEND_MS = 5000;
/** How many calls one sweep ends at most: the rest is for the next, or another node. */
const BATCH = 100;

export interface SweeperOptions {
  store: CallStore;
  changes: Changes;
  calls: Calls;
  callAccess: CallAccess;
  nodes: Nodes;
  isConnected(socketId: string): boolean;
  isBlocked(one: string, other: string): Promise<boolean>;
  clock(): Date;
  log: Logger;
}

export interface Sweeper {
  /** Stops; resolves when what is under way has ended. */
  close(): Promise<void>;
}

/** Starts at once: a node that starts settles what earlier ones left. */
export function startSweeper(options: SweeperOptions): Sweeper {
  const { store, changes, calls, callAccess, nodes, isConnected, isBlocked, clock, log } = options;

  async function endDue(): Promise<void> {
    const due = await store.due(clock(), BATCH);
    await Promise.all(due.map((id) => changes.apply(id, undefined)));
  }

  /** A dead node's sockets are gone without a word: the grace counts from now. */
  async function loseSeatsOfDeadNodes(): Promise<void> {
    const dead = await nodes.deadAmong(await store.seatedNodes());
    if (dead.length > 0) await loseSeats(await store.seatedOn(dead), (device) => dead.includes(device.node_id));
  }

  async function loseSeats(found: Call[], isGone: (device: { socket_id: string; node_id: string }) => boolean) {
    const gone = found.flatMap((call) =>
      call.seats.flatMap((seat) => {
        const device = deviceOf(seat);
        return device && isGone(device) ? [{ callId: call.id, userId: seat.user_id, device }] : [];
      }),
    );
    await Promise.all(gone.map(({ callId, userId, device }) => calls.lost(callId, userId, device)));
  }

  async function mend(): Promise<void> {
    const found = await store.seatedOn([nodes.id]);
    await loseSeats(found, (device) => device.node_id === nodes.id && !isConnected(device.socket_id));
    const members = await callAccess.membersOf(found.flatMap((call) => call.group_id ?? []));
    await Promise.all(found.map((call) => mendAccess(call, new Set(members.get(call.conversation_id)))));
  }

  /** Ends what a block, a removal or the end of a group did not get to. */
  async function mendAccess(
    { caller_id, recipient_id, group_id, told_ids }: Call,
    members: Set<string>,
  ): Promise<void> {
    if (recipient_id !== undefined) {
      if (await isBlocked(caller_id, recipient_id)) calls.endBetween(caller_id, recipient_id);
    } else if (group_id !== undefined) {
      const gone = told_ids.filter((id) => !members.has(id));
      if (gone.length > 0) calls.removeFromCalls(gone, group_id);
    }
  }

  const stopping = new AbortController();

  async function repeat(work: () => Promise<void>, everyMs: number): Promise<void> {
    let failing = false;
    while (!stopping.signal.aborted) {
      try {
        await work();
        failing = false;
      } catch (err) {
        // Once for each outage, not four times a second.
        if (!failing) log.warn({ err }, 'calls could not be swept; trying again');
        failing = true;
      }
      await setTimeout(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = [repeat(endDue, SWEEP_MS), repeat(loseSeatsOfDeadNodes, DEAD_NODES_MS), repeat(mend, MEND_MS)];

  return {
    async close() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** Makes up for what a crash or an outage kept from being recorded in calls. */
import type { Nodes } from '../cluster/nodes.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import { type Call, type Device, deviceOf } from './call.ts';
import type { LostAccess } from './lost-access.ts';
import type { LostConnections } from './lost-connections.ts';
import type { OpenCalls } from './open-calls.ts';

export interface ReconciliationOptions {
  openCalls: Pick<OpenCalls, 'seatedNodes' | 'seatedOn'>;
  lostConnections: Pick<LostConnections, 'lose'>;
  lostAccess: LostAccess;
  audience: Pick<Audience, 'membersOfGroups'>;
  access: Pick<AccessRules, 'isBlocked'>;
  nodes: Pick<Nodes, 'id' | 'deadAmong'>;
  /** Whether a socket of this node is connected. */
  isConnected(socketId: string): boolean;
}

export interface Reconciliation {
  /** Frees the seats of dead nodes. Their sockets vanished without a word, so the grace period counts from now. */
  deadNodes(): Promise<void>;
  /** Compares the calls with a seat on this node with its sockets, the groups' members and the blocks. */
  ownSeats(): Promise<void>;
}

export function createReconciliation(options: ReconciliationOptions): Reconciliation {
  const { openCalls, lostConnections, lostAccess, audience, access, nodes, isConnected } = options;

  async function loseSeats(calls: Call[], isGone: (device: Device) => boolean): Promise<void> {
    const gone = calls.flatMap((call) =>
      call.seats.flatMap((seat) => {
        const device = deviceOf(seat);
        return device && isGone(device) ? [{ callId: call.id, userId: seat.user_id, device }] : [];
      }),
    );
    await Promise.all(gone.map(({ callId, userId, device }) => lostConnections.lose(callId, userId, device)));
  }

  async function checkAccess({ caller_id, recipient_id, group_id, told_ids }: Call, members: string[]): Promise<void> {
    if (recipient_id !== undefined) {
      if (await access.isBlocked(caller_id, recipient_id)) await lostAccess.endBetween(caller_id, recipient_id);
    } else if (group_id !== undefined) {
      const remaining = new Set(members);
      const gone = told_ids.filter((id) => !remaining.has(id));
      if (gone.length > 0) await lostAccess.removeFromCalls(gone, group_id);
    }
  }

  return {
    async deadNodes() {
      const dead = await nodes.deadAmong(await openCalls.seatedNodes());
      if (dead.length > 0) await loseSeats(await openCalls.seatedOn(dead), ({ node_id }) => dead.includes(node_id));
    },
    async ownSeats() {
      const calls = await openCalls.seatedOn([nodes.id]);
      await loseSeats(calls, ({ node_id, socket_id }) => node_id === nodes.id && !isConnected(socket_id));
      const members = await audience.membersOfGroups(calls.flatMap((call) => call.group_id ?? []));
      await Promise.all(calls.map((call) => checkAccess(call, members.get(call.conversation_id) ?? [])));
    },
  };
}

/** Applies operations to the sockets of this node: which part does what. */
import type { Operation } from '../bus/operations.ts';
import type { Admission } from './admission.ts';
import type { Emitter } from './emit.ts';
import type { LocalRooms } from './local-rooms.ts';
import type { Memberships } from './memberships.ts';
import type { Sequencer } from './sequencer.ts';

export interface Delivery extends Admission, Pick<LocalRooms, 'members'>, Pick<Memberships, 'onLeft'> {
  /** Applies an operation to this node's sockets. */
  apply(operation: Operation): void;
}

export interface DeliveryParts {
  emitter: Emitter;
  sequencer: Sequencer;
  memberships: Memberships;
  revoke(sessionIds: string[]): void;
  admission: Admission;
  rooms: LocalRooms;
}

export function createDelivery(parts: DeliveryParts): Delivery {
  const { emitter, sequencer, memberships, revoke, admission, rooms } = parts;
  return {
    apply(operation) {
      switch (operation.kind) {
        case 'event':
          emitter.event(operation);
          break;
        case 'changes':
          sequencer.accept(operation.conversation, operation.changes);
          break;
        case 'heal':
          sequencer.heal(operation.conversation);
          break;
        case 'membership':
          memberships.change(operation.user_id, operation.group_id, operation.from_seq);
          break;
        case 'revoked':
          revoke(operation.session_ids);
          break;
      }
    },
    admit: admission.admit,
    dismiss: admission.dismiss,
    members: rooms.members,
    onLeft: memberships.onLeft,
  };
}

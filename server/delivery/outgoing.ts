/**
 * Counts what leaves this node, and on whose account. A packet is written once and sent to every device that hears it,
 * so one sender in a large group causes a thousand times as much to be sent as comes in.
 */
import type { LocalRooms } from './local-rooms.ts';

/** What sending a packet takes besides its bytes, in bytes. */
const PACKET_BYTES = 256;
/** An event for fewer devices is not counted: pairs and small groups. */
const FEW_DEVICES = 16;

/**
 * Counts an event for the user who caused it.
 * @param by undefined where nobody did, or it is not known
 */
export type CountOutgoing = (by: string | undefined, rooms: string[], payload: object) => void;

/** @param onSent told how many bytes a user has caused to be sent */
export function createOutgoing(
  rooms: Pick<LocalRooms, 'size'>,
  onSent: (userId: string, bytes: number) => void,
): CountOutgoing {
  return (by, target, payload) => {
    if (by === undefined) return;
    const devices = target.reduce((sum, room) => sum + rooms.size(room), 0);
    if (devices >= FEW_DEVICES) onSent(by, devices * (PACKET_BYTES + JSON.stringify(payload).length));
  };
}

/** Socket.IO packets as commands. */
import type { Ack } from '../../shared/contract/errors.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';

/**
 * Carries out a packet and acknowledges it; never rejects.
 * @param packet the event's name, its arguments, and the acknowledgement callback if the client wants one
 */
export type AnswerPacket = (caller: Caller, packet: unknown[]) => Promise<void>;

/** @returns the acknowledgement callback of a packet, if it has one */
export function acknowledgementOf(packet: unknown[]): ((result: Ack<unknown>) => void) | undefined {
  const last = packet.at(-1);
  return typeof last === 'function' ? (last as (result: Ack<unknown>) => void) : undefined;
}

export function createPacketAnswers(dispatch: Dispatch): AnswerPacket {
  return async (caller, packet) => {
    const acknowledge = acknowledgementOf(packet);
    const args = packet.slice(1, acknowledge ? -1 : undefined);
    const result = await dispatch(caller, String(packet[0]), args);
    acknowledge?.(result);
  };
}

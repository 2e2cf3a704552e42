/** The messages of one room: which were sent and acknowledged, under which seq each is known, and who has which. */
import type { Ranges } from '../chaos/ranges.ts';
import type { Fault } from './verdict.ts';

/** What is looked at of a message, however it came. */
export interface KnownMessage {
  seq: number;
  client_message_id?: string;
}

export interface Ledger {
  /** A new message. @returns its number, and the id under which every repetition is sent */
  begin(sender: number, plannedAt: number): { number: number; clientMessageId: string };
  acknowledged(number: number, message: KnownMessage): void;
  /** A message that somebody was told. @returns the time it was planned for; undefined if it is not of this run */
  known(message: KnownMessage): number | undefined;
  /** Who sent what is at a seq; undefined where nothing is known to be. */
  senderAt(seq: number): number | undefined;
  /** The highest seq that is known. */
  last(): number;
  /** Finds what was acknowledged and is not among what every member has. */
  findLost(seen: Ranges[]): void;
  counts(): { sent: number; acknowledged: number };
}

/**
 * @param prefix begins the ids of the room's messages, and of no others
 * @param find told of each finding, in words
 */
export function createLedger(prefix: string, find: (fault: Fault, words: string) => void): Ledger {
  /** By number: who sent it, for when it was planned, its seq (0 while it is not known), whether it was acknowledged. */
  const senders: number[] = [];
  const plannedAts: number[] = [];
  const seqs: number[] = [];
  const isAcknowledged: boolean[] = [];
  /** By seq: the message's number. */
  const numberAt: number[] = [];

  function known({ seq, client_message_id }: KnownMessage): number | undefined {
    if (!client_message_id?.startsWith(prefix)) return undefined;
    const number = Number(client_message_id.slice(prefix.length));
    if (seqs[number] === 0) seqs[number] = seq;
    else if (seqs[number] !== seq) find('doubled', `${client_message_id} at seq ${seqs[number]} and at ${seq}`);
    numberAt[seq] ??= number;
    if (numberAt[seq] !== number)
      find('outOfOrder', `${client_message_id} and ${prefix}${numberAt[seq]} at seq ${seq}`);
    return plannedAts[number];
  }

  return {
    known,
    begin(sender, plannedAt) {
      const number = senders.push(sender) - 1;
      plannedAts.push(plannedAt);
      seqs.push(0);
      isAcknowledged.push(false);
      return { number, clientMessageId: `${prefix}${number}` };
    },
    acknowledged(number, message) {
      isAcknowledged[number] = true;
      known({ ...message, client_message_id: `${prefix}${number}` });
    },
    senderAt: (seq) => senders[numberAt[seq] ?? -1],
    last: () => Math.max(0, numberAt.length - 1),
    findLost(seen) {
      for (const [number, seq] of seqs.entries()) {
        if (isAcknowledged[number] && seen.some((ranges) => !ranges.has(seq))) {
          find('lost', `${prefix}${number}, acknowledged at seq ${seq}`);
        }
      }
    },
    counts: () => ({ sent: senders.length, acknowledged: isAcknowledged.filter(Boolean).length }),
  };
}

/** Lists of messages, ascending by `seq`. */
import type { Message } from '../contract.ts';

/** Where the message with this `seq` is, or would be. */
export function placeOf(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (messages[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function findBySeq(messages: readonly Message[], seq: number): Message | undefined {
  const found = messages[placeOf(messages, seq)];
  return found?.seq === seq ? found : undefined;
}

/** The list with some messages in it; of two states of a message the one with the higher `rev` counts. */
export function merge(messages: readonly Message[], some: readonly Message[]): readonly Message[] {
  let merged: Message[] | undefined;
  for (const message of some) {
    const list: readonly Message[] = merged ?? messages;
    const at = placeOf(list, message.seq);
    const known = list[at]?.seq === message.seq ? list[at] : undefined;
    if (known && known.rev >= message.rev) continue;
    merged ??= [...messages];
    merged.splice(at, known ? 1 : 0, message);
  }
  return merged ?? messages;
}

/** About how large an answer will be, in bytes of JSON. */
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireGroup } from '../model/views/group.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { CheckedPlace } from './place.ts';

/** What conversations may take in one answer, and messages as much again: a client may have a slow connection. */
export const MAX_ANSWER_BYTES = 512 * 1024;

/** A conversation with its peer, but without its group, receipts and last message: none takes less. */
export const ENVELOPE = 700;
/** `{"user_id":"…","delivered_seq":12345,"read_seq":12345}` */
const RECEIPT = 80;

export function bytesOfMessage(message: MessageDocument): number {
  return bytesOf(toWireMessage(message));
}

export function bytesOfConversation({
  group,
  membership: { draft_bytes = 0 },
  summary: { last_message },
}: CheckedPlace): number {
  return (
    ENVELOPE +
    draft_bytes +
    (group ? bytesOf(toWireGroup(group)) + group.members.length * RECEIPT : 0) +
    (last_message ? bytesOfMessage(last_message) : 0)
  );
}

function bytesOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}

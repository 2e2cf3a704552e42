/** Who learns what of a mark: the senders of the messages that it covers, by the settings of both sides. */
import type { ObjectId } from 'mongodb';
import type { Audience } from '../conversations/audience.ts';
import type { Collections } from '../model/collections.ts';
import type { MarkRequest } from './mark-request.ts';
import { BY_SEQ } from './settle-status.ts';

export interface ReadingAudience {
  /** Senders who may learn of a reading. */
  shown: ObjectId[];
  /** Senders who learn of the delivery only: the reader, or in a pair either side, has switched receipts off. */
  hidden: ObjectId[];
  /** In a group: senders who have switched receipts off themselves, and see no reading of anyone. */
  blind: ObjectId[];
  /** Whether a reading raises the mark that others see. */
  raisesShownMark: boolean;
}

export interface ReadingAudienceSources {
  collections: Pick<Collections, 'messages' | 'group_messages'>;
  audience: Audience;
}

/**
 * Finds the senders of visible messages above `aboveSeq` and up to the new mark who are still in the conversation, and
 * divides them by the settings of this moment.
 */
export async function findReadingAudience(
  { collections, audience }: ReadingAudienceSources,
  request: MarkRequest,
  aboveSeq: number,
): Promise<ReadingAudience> {
  const { caller, peerId, fromSeq, upTo } = request;
  const seq = { $gt: Math.max(aboveSeq, fromSeq), $lte: upTo };
  const senders = peerId
    ? await findPeer(collections, request, peerId, seq)
    : await findSenders(collections, audience, request, seq);
  const concerned = [caller.userId, ...(peerId ? [peerId] : senders)];
  const off = await audience.switchedOff(concerned, 'read_receipts_enabled');
  return divide(request, senders, new Set(off));
}

interface SeqRange {
  $gt: number;
  $lte: number;
}

/** The peer of a pair, if any of the messages is theirs. */
async function findPeer(
  { messages }: ReadingAudienceSources['collections'],
  { conversation }: MarkRequest,
  peerId: ObjectId,
  seq: SeqRange,
): Promise<ObjectId[]> {
  const found = await messages.findOne(
    { conversation_id: conversation.id, sender_id: peerId, seq },
    { projection: { _id: 1 }, ...BY_SEQ },
  );
  return found ? [peerId] : [];
}

/** The other members of a group who sent any of the messages. */
async function findSenders(
  { group_messages }: ReadingAudienceSources['collections'],
  audience: Audience,
  { conversation, caller }: MarkRequest,
  seq: SeqRange,
): Promise<ObjectId[]> {
  const [senders, memberIds] = await Promise.all([
    group_messages.distinct('sender_id', { conversation_id: conversation.id, seq }),
    audience.membersOf(conversation),
  ]);
  const members = new Set(memberIds.map((member) => member.toHexString()));
  return senders.filter((sender) => !sender.equals(caller.userId) && members.has(sender.toHexString()));
}

/** @param off the ids of those who have switched read receipts off */
function divide({ caller, peerId }: MarkRequest, senders: ObjectId[], off: ReadonlySet<string>): ReadingAudience {
  const hides = (userId: ObjectId) => off.has(userId.toHexString());
  const readerHides = hides(caller.userId);
  const isBlind = (sender: ObjectId) => peerId === undefined && hides(sender);
  return {
    shown: senders.filter((sender) => !readerHides && !hides(sender)),
    hidden: senders.filter((sender) => (readerHides || hides(sender)) && !isBlind(sender)),
    blind: senders.filter(isBlind),
    // All of a group who see readings see the same mark.
    raisesShownMark: !readerHides && !(peerId && hides(peerId)),
  };
}

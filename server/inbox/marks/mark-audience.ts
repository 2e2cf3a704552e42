/** Who learns what of a mark: the senders of the messages that it covers, by the settings of both sides. */
import type { Audience } from '../../conversations/audience.ts';
import type { NewestMessages } from '../../conversations/newest-messages.ts';
import type { ConversationRef } from '../../model/conversation-ref.ts';

export interface MarkAudience {
  /** Senders who may learn of a reading. */
  shown: string[];
  /** Senders who learn of the delivery only: the reader, or in a pair either side, has switched receipts off. */
  hidden: string[];
  /** In a group: senders who have switched receipts off themselves, and see no reading of anyone. */
  blind: string[];
  /** Senders who left the group: nothing is told to them, or of them. */
  gone: string[];
  /** Whether a reading raises the mark that others see. */
  raisesShownMark: boolean;
}

export interface MarkAudienceSources {
  audience: Pick<Audience, 'membersOf' | 'switchedOff'>;
  newest: Pick<NewestMessages, 'sendersWithin'>;
}

/**
 * Finds the senders of the messages above one `seq` and up to another, and divides them by the settings of this moment.
 * @param readerId left out of the senders
 */
export async function findMarkAudience(
  { audience, newest }: MarkAudienceSources,
  conversation: ConversationRef,
  readerId: string,
  above: number,
  upTo: number,
): Promise<MarkAudience> {
  const isGroup = conversation.kind === 'group';
  const [sent, members] = await Promise.all([
    newest.sendersWithin(conversation, above, upTo),
    audience.membersOf(conversation),
  ]);
  const senders = sent.filter((sender) => sender !== readerId && members.has(sender));
  const concerned = isGroup ? [readerId, ...senders] : members;
  const off = new Set(await audience.switchedOff(concerned, 'read_receipts_enabled'));
  const readerHides = off.has(readerId);
  const isBlind = (sender: string) => isGroup && off.has(sender);
  return {
    shown: senders.filter((sender) => !readerHides && !off.has(sender)),
    hidden: senders.filter((sender) => (readerHides || off.has(sender)) && !isBlind(sender)),
    blind: senders.filter(isBlind),
    gone: sent.filter((sender) => sender !== readerId && !members.has(sender)),
    // All of a group who see readings see the same mark.
    raisesShownMark: !readerHides && (isGroup || off.size === 0),
  };
}

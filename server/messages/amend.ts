/** Changes a stored message under the conversation's next `rev`. */
import type { UpdateFilter } from 'mongodb';
import type { Bus } from '../bus/bus.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { isTooLate } from '../lib/deadline.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { toWireMessage } from '../model/views/message.ts';
import { MAX_ATTEMPTS, type Positions, tooBusy } from './positions.ts';
import type { SummaryWriter } from './summary-writer.ts';

/** Decides a change by the message as it is now: undefined where there is nothing to change. May throw a refusal. */
export type Decide = (message: MessageDocument) => UpdateFilter<MessageDocument> | undefined;

export interface Amendment {
  conversation: ConversationRef;
  /** As it was read last. */
  message: MessageDocument;
  decide: Decide;
  /** The socket that acts: it gets the acknowledgement instead of the event. */
  socket: string | undefined;
  /** When the answer is due, by `performance.now()`; never by default. */
  dueAt?: number | undefined;
}

export interface Amended {
  /** As it is afterwards. */
  message: MessageDocument;
  /** The summary is being written: the change is acknowledged when it is. */
  summary: Promise<void>;
}

export interface AmendParts {
  store: Pick<MessageStore, 'amend' | 'find'>;
  positions: Positions;
  summaries: Pick<SummaryWriter, 'changed'>;
  bus: Pick<Bus, 'changes' | 'heal'>;
  clock(): Date;
}

/**
 * Decides again whenever another writer changed the message in between.
 * @throws ContractError `unavailable` where other writers are always first, or the turn came too late: then nothing was
 *   changed; whatever `decide` throws
 */
export async function amend(parts: AmendParts, amendment: Amendment): Promise<Amended> {
  const { store, positions, summaries, bus, clock } = parts;
  const { conversation, decide, socket, dueAt } = amendment;
  let message: MessageDocument | null = amendment.message;
  for (let attempt = 0; message && attempt < MAX_ATTEMPTS; attempt++) {
    const update = decide(message);
    if (!update) {
      // This may be the repeat of a change that was stored without its summary, or an own one whose answer was lost.
      if (attempt > 0) bus.heal(conversation);
      return { message, summary: summaries.changed(conversation, message.rev, message.updated_at) };
    }
    if (isTooLate(dueAt)) throw tooBusy();
    const { seq, rev } = await positions.newest(conversation);
    if (message.rev > rev) {
      // Another node was here. The unique index would not refuse this message a rev that it has already.
      positions.forget(conversation);
      continue;
    }
    const at = clock();
    const change = { ...update, $set: { ...update.$set, updated_at: at } };
    const amended = await tryAmend(parts, conversation, message, rev + 1, change);
    if (amended) {
      positions.advance(conversation, { seq, rev: rev + 1 });
      const told = {
        rev: rev + 1,
        message: toWireMessage(amended),
        is_new: false,
        last_seq: seq,
        except_socket: socket,
      };
      bus.changes(conversation, [told]);
      return { message: amended, summary: summaries.changed(conversation, rev + 1, at) };
    }
    message = await store.find(amendment.message._id);
  }
  throw tooBusy();
}

/** @returns null where another writer took the rev, or changed the message since it was read */
async function tryAmend(
  { store, positions, bus }: AmendParts,
  conversation: ConversationRef,
  message: MessageDocument,
  rev: number,
  update: UpdateFilter<MessageDocument>,
): Promise<MessageDocument | null> {
  try {
    return await store.amend(message, rev, update);
  } catch (error) {
    positions.forget(conversation);
    if (isDuplicateKey(error)) return null;
    // The store may have changed it all the same.
    bus.heal(conversation);
    throw error;
  }
}

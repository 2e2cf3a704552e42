/** One turn of a conversation: the messages that changed since the last one, in the order of `rev`. */
import type { WebhookType } from '../../../shared/contract/webhooks.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import { type ConversationRef, refFromId } from '../../model/conversation-ref.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import type { WebhookDocument } from '../../model/documents/webhooks.ts';
import { toWireMessage } from '../../model/views/message.ts';
import { addHad, hasHad } from '../had.ts';
import type { Attempt, TryEvent } from './attempts.ts';
import type { Cursor, CursorStore } from './cursor-store.ts';
import type { Turn } from './schedule.ts';
import { eventId, type FeedEvent } from './sender.ts';

/** Messages in a turn: then others come first. */
const LIMIT = 50;
/** What a summary names and nobody has stored within so many seconds, nobody will store. */
const MOST_LOOKS = 20;

export interface MessageTurnOptions {
  webhook(): WebhookDocument;
  cursors: CursorStore;
  store: Pick<MessageStore, 'changes' | 'show'>;
  tryEvent: TryEvent;
  /** The newest `rev` of a conversation that is known. */
  newestKnown(conversationId: string): number;
  /** A conversation has nothing above a `rev`, whatever was known. */
  onNothing(conversationId: string, rev: number): void;
}

/**
 * New is what the receiver has not had; to a receiver that wants changes only, what has not changed. So no change is
 * missed that came right after its message.
 */
function typeOf({ types }: WebhookDocument, { seq, rev, revs }: MessageDocument, { had }: Cursor): WebhookType {
  const isKnown = types.includes('message.new') ? hasHad(had, seq) : (revs?.[0] ?? rev) !== rev;
  return isKnown ? 'message.updated' : 'message.new';
}

/** @returns tells what waits of a conversation; `looks` is how often nothing was there yet */
export function createMessageTurn(options: MessageTurnOptions) {
  const { webhook, cursors, store, tryEvent, newestKnown, onNothing } = options;

  function eventOf(conversation: ConversationRef, message: MessageDocument, cursor: Cursor): FeedEvent {
    const { feed_id } = webhook();
    const { id, kind, ...whose } = conversation;
    const data = { message: toWireMessage(message), conversation: { conversation_id: id, kind, ...whose } };
    return {
      id: eventId(feed_id.toHexString(), id, message.rev, cursor.replay ?? ''),
      type: typeOf(webhook(), message, cursor),
      at: message.updated_at,
      data: JSON.stringify(data),
    };
  }

  async function nothingThere(cursor: Cursor, looks: number): Promise<Turn> {
    const { stream, rev } = cursor;
    const known = newestKnown(stream);
    if (known > rev && looks < MOST_LOOKS) return 'early';
    await cursors.unnote(cursor, known);
    onNothing(stream, known);
    return 'done';
  }

  async function notTaken(
    cursor: Cursor,
    { rev }: MessageDocument,
    wasTaken: boolean,
    { outcome, failures }: Exclude<Attempt, { outcome: 'ok' }>,
  ): Promise<Turn> {
    if (outcome === 'passed_over') cursor.rev = rev;
    if (wasTaken || outcome === 'passed_over') await cursors.save(cursor, wasTaken);
    Object.assign(cursor, failures);
    await cursors.fail(cursor, failures.failed, Math.max(newestKnown(cursor.stream), rev));
    if (outcome === 'passed_over') return 'more';
    return outcome === 'refused' ? 'refused' : 'failed';
  }

  return async function takeTurn(stream: string, looks: number): Promise<Turn> {
    const conversation = refFromId(stream);
    const cursor = await cursors.load(webhook(), stream);
    const found = await store.show(await store.changes(conversation, cursor.rev, LIMIT));
    if (found.length === 0) return nothingThere(cursor, looks);
    let wasTaken = false;
    for (const message of found) {
      const event = eventOf(conversation, message, cursor);
      if (webhook().types.includes(event.type)) {
        const attempt = await tryEvent(stream, event, cursor);
        if (attempt.outcome !== 'ok') return notTaken(cursor, message, wasTaken, attempt);
        wasTaken = true;
        delete cursor.refused_since;
      }
      // Also of what is not wanted: a receiver that takes changes only, takes them of all messages.
      addHad(cursor.had, message.seq);
      cursor.rev = message.rev;
    }
    await cursors.save(cursor, wasTaken);
    return found.length === LIMIT || newestKnown(stream) > cursor.rev ? 'more' : 'done';
  };
}

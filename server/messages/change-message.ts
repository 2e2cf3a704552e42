/** What every change of a stored message does: it reaches the message, decides, and waits for its turn at the writer. */
import type { GroupAction, Message } from '../../shared/contract/documents.ts';
import { type Access, refuseBlocked, refuseUnpermitted } from '../conversations/access.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { Moment } from './amendment.ts';
import type { Reach } from './reach.ts';
import type { Writer } from './writer.ts';

export interface ChangeMessageOptions {
  reach: Reach;
  store: Pick<MessageStore, 'withThreads'>;
  writer: Pick<Writer, 'amend'>;
}

/** What a change is decided on besides the message. */
export interface Circumstances<P> extends Moment {
  entered: Access;
  /** What `prepare` returned. */
  prepared: P;
}

export interface Change<P> {
  /** Which of a group's permissions it needs; none by default. */
  action?: GroupAction | undefined;
  /** Makes of the message what it is to become; undefined where there is nothing to change. May throw a refusal. */
  decide(message: MessageDocument, circumstances: Circumstances<P>): MessageDocument | undefined;
  /** Looks up what else the decision needs. */
  prepare?(message: MessageDocument, entered: Access): Promise<P> | P;
  /** Whether the decision asks how many messages of the conversation are pinned. */
  countsPins?: boolean;
}

/**
 * Changes a message, and answers with it.
 * @throws ContractError `not_found` for a message that the caller cannot see, `forbidden` under a block, or
 *   without the right to it in a group; as `Writer.amend`
 */
export type ChangeMessage = <P>(
  caller: Caller,
  messageId: string,
  dueAt: number | undefined,
  change: Change<P>,
) => Promise<{ message: Message }>;

export function createChangeMessage({ reach, store, writer }: ChangeMessageOptions): ChangeMessage {
  async function prepared<P>(caller: Caller, messageId: string, { action, prepare }: Change<P>) {
    const { message, entered } = await reach(caller, messageId);
    refuseBlocked(entered);
    if (action) refuseUnpermitted(entered, action);
    return { message, entered, prepared: (await prepare?.(message, entered)) as P };
  }

  return async (caller, messageId, dueAt, change) => {
    const amended = await caller.inTurn(prepared(caller, messageId, change), ({ message, entered, prepared: found }) =>
      writer.amend({
        conversation: entered.conversation,
        message,
        decide: (current, moment) => change.decide(current, { ...moment, entered, prepared: found }),
        countsPins: change.countsPins ?? false,
        socket: caller.socketId,
        by: caller.id,
        dueAt,
      }),
    );
    const [shown] = await store.withThreads([amended]);
    return { message: toWireMessage(shown!) };
  };
}

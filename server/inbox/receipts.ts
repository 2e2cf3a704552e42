/** `message:delivered` and `message:read`. */
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages } from '../conversations/newest-messages.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { createLanes } from '../lib/lanes.ts';
import { type MarkBatchParts, type MarkTask, raiseMarks } from './marks/mark-batch.ts';
import { grows } from './marks/mark-state.ts';
import type { MarkStore } from './marks/mark-store.ts';
import { countUnreadAbove } from './unread-counts.ts';

/** Marks in one write. */
const MAX_BATCH = 500;
/** All marks are in one collection, so all go out together. */
const LANE = 'marks';

export interface ReceiptsOptions extends MarkBatchParts {
  store: MessageStore;
  access: AccessRules;
  marks: MarkStore;
  newest: NewestMessages;
  bus: Pick<Bus, 'emit' | 'viewChanged'>;
}

type Payload = CommandPayload<'message:read'>;
type Request = Pick<MarkTask, 'conversation' | 'key' | 'isBlocked' | 'fromSeq' | 'dueAt'>;

export function createReceipts(options: ReceiptsOptions): HandlersOf<'message:delivered' | 'message:read'> {
  const { store, access, marks, newest, bus } = options;
  const lanes = createLanes(LANE, (tasks: MarkTask[]) => raiseMarks(options, tasks), MAX_BATCH);

  /**
   * Looks up what raising a mark depends on.
   * @throws ContractError `not_found` if the caller has no access or nothing was ever written, `validation_failed` beyond
   *   the last message
   */
  async function request(caller: Caller, payload: Payload, dueAt: number | undefined): Promise<Request> {
    const { conversation, fromSeq, blocked } = await access.enter(caller.id, payload);
    const highest = await newest.highestSeq(conversation, Math.max(payload.up_to_seq, 1));
    if (highest === 0) throw notFound('nothing was written in this conversation yet');
    if (payload.up_to_seq > highest) throw invalid('up_to_seq', 'is beyond the last message');
    const key = { conversationId: conversation.id, userId: caller.userId };
    return { conversation, key, isBlocked: blocked, fromSeq, dueAt };
  }

  /** @throws ContractError `not_found` where the caller has no marks; `unavailable` for what waited too long */
  function raise(asked: Request, wanted: MarkTask['wanted']): Promise<{ grew: boolean; readSeq: number }> {
    const known = marks.remembered(asked.key);
    if (known && !grows(known, wanted)) return Promise.resolve({ grew: false, readSeq: known.read_seq });
    return new Promise((resolve, reject) => lanes.join(LANE, { ...asked, wanted, resolve, reject }));
  }

  return {
    async 'message:delivered'(caller, payload, dueAt) {
      const asked = await request(caller, payload, dueAt);
      if (!asked.isBlocked) await raise(asked, { deliveredTo: payload.up_to_seq, readTo: 0 });
      return {};
    },
    async 'message:read'(caller, payload, dueAt) {
      const asked = await request(caller, payload, dueAt);
      const { conversation, isBlocked, fromSeq } = asked;
      const upTo = payload.up_to_seq;
      // Under a block nothing passes, but the reader's own unread count clears.
      const { grew, readSeq } = await raise(asked, { deliveredTo: isBlocked ? 0 : upTo, readTo: upTo });
      if (grew) bus.viewChanged(caller.id, conversation.id, caller.socketId);
      if (newest.isHighest(conversation, readSeq)) return { unread_count: 0 };
      // What is remembered may be behind what another node has raised.
      const above = grew ? readSeq : ((await marks.read(asked.key))?.read_seq ?? readSeq);
      return { unread_count: await countUnreadAbove(store, conversation, caller.userId, Math.max(fromSeq, above)) };
    },
  };
}

/** `message:thread`, `thread:follow` and `thread:read` (PROTOCOL section 16, "Threads"). */
import type { MessageStore } from '../../conversations/message-store.ts';
import type { NewestMessages } from '../../conversations/newest-messages.ts';
import type { HandlersOf } from '../../dispatch/handlers.ts';
import { invalid } from '../../lib/errors.ts';
import type { Reach } from '../reach.ts';
import type { Following } from './following.ts';
import { createThreadList, type ThreadListOptions } from './list.ts';
import type { ThreadMarks } from './marks.ts';
import { createReachRoot, createReadThread, createUnreadOf } from './read-thread.ts';

export interface ThreadCommandOptions extends ThreadListOptions {
  store: MessageStore;
  reach: Reach;
  newest: Pick<NewestMessages, 'highestSeq'>;
  marks: ThreadMarks;
  following: Pick<Following, 'tell'>;
}

/** @returns handlers that throw ContractError `not_found` for a message that the caller cannot see, `conflict` for a reply */
export function createThreadCommands(options: ThreadCommandOptions): HandlersOf<'message:thread' | 'thread'> {
  const { store, reach, newest, marks, following } = options;

  const reachRoot = createReachRoot(reach);
  const unreadOf = createUnreadOf(store);

  return {
    'message:thread': createReadThread({ ...options, reachRoot, unreadOf }),
    async 'thread:follow'(caller, { message_id, following: isWanted }) {
      const { root, entered } = await reachRoot(caller, message_id);
      const [mark, rev] = await Promise.all([
        marks.find(caller.userId, root._id),
        store.highest('rev', entered.conversation),
      ]);
      await marks.decide(root, caller.userId, isWanted, rev);
      if ((mark?.following ?? false) !== isWanted) await following.tell(root, caller.userId, caller.socketId);
      return { following: isWanted };
    },
    async 'thread:read'(caller, { message_id, up_to_seq }) {
      const { root, entered } = await reachRoot(caller, message_id);
      const [highest, mark] = await Promise.all([
        newest.highestSeq(entered.conversation, up_to_seq),
        marks.find(caller.userId, root._id),
      ]);
      if (up_to_seq > highest) throw invalid('up_to_seq', 'is beyond the last message');
      const read_seq = mark?.read_seq ?? 0;
      if (up_to_seq <= read_seq) return { unread_count: await unreadOf(caller, root, read_seq) };
      await marks.read(root, caller.userId, up_to_seq);
      return { unread_count: await following.tell(root, caller.userId, caller.socketId) };
    },
    'thread:list': createThreadList(options),
  };
}

/** Whatever users can do at random, and how each operation becomes a command. */
import fc from 'fast-check';
import type { SyncOptions } from './replica.ts';

export const USERS = 4;
export const GROUPS = 2;

const user = fc.nat({ max: USERS - 1 });
const group = fc.nat({ max: GROUPS - 1 });
const chat = fc.oneof(
  user.map((peer) => ({ peer })),
  group.map((index) => ({ group: index })),
);
const pick = fc.nat({ max: 1_000_000 });

/** Every way to ask by `sync` that the contract knows. */
export const syncOptions: fc.Arbitrary<SyncOptions> = fc.constantFrom(1, 3, 20, 500).chain((limit) =>
  fc.record({
    limit: fc.constant(limit),
    useSince: fc.boolean(),
    useCursor: fc.boolean(),
    newest: fc.option(fc.integer({ min: 1, max: Math.min(limit, 5) }), { nil: undefined }),
  }),
);

/** Users and groups are indices; `pick` chooses among what there is by then. */
export const operation = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), user, chat, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), user, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), user, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('react' as const), user, pick, remove: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), user, chat, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delivered' as const), user, chat, pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pin' as const), user, chat, pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('join' as const, 'join' as const, 'remove' as const, 'leave' as const),
      user,
      other: user,
      group,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('block' as const, 'unblock' as const), user, other: user }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('drop or return' as const), options: syncOptions }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
export type DropOrReturn = Extract<Operation, { do: 'drop or return' }>;
/** What a user does by a command. */
export type UserOperation = Exclude<Operation, DropOrReturn>;
type Chat = { peer: number } | { group: number };

/** What commands refer to. */
export interface Known {
  /** By index. */
  userIds: string[];
  groupIds: string[];
  /** The ids of the messages sent so far. */
  sent: string[];
  /** The highest `seq` of each chat so far, by `chatKey`. */
  newest: Map<string, number>;
}

interface RandomCommand {
  name: string;
  payload: Record<string, unknown>;
}

/** The command for an operation; undefined where there is nothing yet that it could be about. */
export function toCommand(operation: UserOperation, known: Known): RandomCommand | undefined {
  const { userIds, groupIds, sent } = known;
  switch (operation.do) {
    case 'send':
      return { name: 'message:send', payload: { ...target(operation, known), content: `text ${operation.pick}` } };
    case 'read':
    case 'delivered': {
      const last = known.newest.get(chatKey(operation.user, operation.chat)) ?? 0;
      const up_to_seq = operation.pick % (last + 1);
      return { name: `message:${operation.do}`, payload: { ...target(operation, known), up_to_seq } };
    }
    case 'pin':
      return {
        name: 'conversation:update',
        payload: { ...target(operation, known), pinned: operation.pick % 2 === 0 },
      };
    case 'join':
      return {
        name: 'group:add_members',
        payload: { group_id: groupIds[operation.group], user_ids: [userIds[operation.other]] },
      };
    case 'remove':
      return {
        name: 'group:remove_member',
        payload: { group_id: groupIds[operation.group], user_id: userIds[operation.other] },
      };
    case 'leave':
      return { name: 'group:leave', payload: { group_id: groupIds[operation.group] } };
    case 'block':
    case 'unblock':
      return { name: `contact:${operation.do}`, payload: { user_id: userIds[operation.other] } };
    default: {
      if (sent.length === 0) return undefined;
      const message_id = sent[operation.pick % sent.length];
      if (operation.do === 'delete') return { name: 'message:delete', payload: { message_id } };
      if (operation.do === 'edit') {
        return { name: 'message:edit', payload: { message_id, content: `edit ${operation.pick}` } };
      }
      return { name: 'message:react', payload: { message_id, emoji: '👍', remove: operation.remove } };
    }
  }
}

/** The same for both users of a pair. */
export function chatKey(from: number, chat: Chat): string {
  return 'group' in chat ? `group ${chat.group}` : [from, peerOf(from, chat)].sort().join('-');
}

/** Nobody writes to oneself. */
function peerOf(from: number, { peer }: { peer: number }): number {
  return peer === from ? (peer + 1) % USERS : peer;
}

function target({ user, chat }: { user: number; chat: Chat }, { userIds, groupIds }: Known) {
  return 'group' in chat ? { group_id: groupIds[chat.group] } : { recipient_id: userIds[peerOf(user, chat)] };
}

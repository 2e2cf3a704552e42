/**
 * What a node that is alone remembers of who may do what, so that a message costs no look-up. That is right only where
 * each change passes through this very process: with several nodes a block has to hold on all of them once it is
 * acknowledged, so there nothing is remembered.
 */
import { LRUCache } from 'lru-cache';
import type { CommandName, CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../gateway/caller.ts';
import type { Handlers } from '../gateway/dispatch.ts';
import type { Access } from './access.ts';
import { pairId } from './conversation-ref.ts';

/** How many conversations are remembered. */
const REMEMBERED = 50_000;
/** A change whose answer was lost may still be carried out by the store: it is seen after so long, in milliseconds. */
const TTL_MS = 30_000;

export interface AccessMemory {
  /** A user's way into a conversation as it is remembered, else as it is found. */
  recall(conversationId: string, userId: string, find: () => Promise<Access | undefined>): Promise<Access | undefined>;
  /**
   * Carries out what may change who may do what, in one conversation or (undefined) in any: what was remembered of it
   * is forgotten, and nothing new is remembered until it is done.
   */
  changing<T>(conversationId: string | undefined, work: () => Promise<T>): Promise<T>;
}

/** Remembers nothing. */
export const NO_MEMORY: AccessMemory = {
  recall: (_conversationId, _userId, find) => find(),
  changing: (_conversationId, work) => work(),
};

export function createAccessMemory(): AccessMemory {
  const conversations = new LRUCache<string, Map<string, Access>>({ max: REMEMBERED, ttl: TTL_MS });
  let underWay = 0;
  /** Grows whenever a change begins or ends: what was looked up across such a moment is not remembered. */
  let moment = 0;

  return {
    async recall(conversationId, userId, find) {
      const known = conversations.get(conversationId)?.get(userId);
      if (known) return known;
      const before = moment;
      const found = await find();
      if (!found || underWay > 0 || moment !== before) return found;
      const users = conversations.get(conversationId) ?? new Map<string, Access>();
      if (users.size === 0) conversations.set(conversationId, users);
      users.set(userId, found);
      return found;
    },
    async changing(conversationId, work) {
      underWay++;
      moment++;
      if (conversationId === undefined) conversations.clear();
      else conversations.delete(conversationId);
      try {
        return await work();
      } finally {
        underWay--;
        moment++;
      }
    },
  };
}

/** The commands that change who may do what, with the conversation in which they do. */
const CHANGES: { [N in CommandName]?: (caller: Caller, payload: CommandPayload<N>) => string } = {
  'contact:block': (caller, { user_id }) => pairId(caller.id, user_id),
  'contact:unblock': (caller, { user_id }) => pairId(caller.id, user_id),
  'group:add_members': (_caller, { group_id }) => group_id,
  'group:remove_member': (_caller, { group_id }) => group_id,
  'group:leave': (_caller, { group_id }) => group_id,
  'group:set_admin': (_caller, { group_id }) => group_id,
  'group:delete': (_caller, { group_id }) => group_id,
};

/** The handlers, with the memory told of what they change. */
export function watchChanges<H extends Partial<Handlers>>(handlers: H, memory: AccessMemory): H {
  type Any = (caller: Caller, payload: unknown) => unknown;
  const watched = Object.entries(CHANGES).flatMap(([name, conversationOf]) => {
    const handle = handlers[name as CommandName] as Any | undefined;
    if (!handle) return [];
    const watching: Any = (caller, payload) =>
      memory.changing((conversationOf as Any)(caller, payload) as string, async () => handle(caller, payload));
    return [[name, watching]];
  });
  return { ...handlers, ...Object.fromEntries(watched) };
}

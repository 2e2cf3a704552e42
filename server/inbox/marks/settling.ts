/**
 * Brings stored messages up to the marks, some seconds behind and in batches: a pair's `status`, a group's `read_by`. No
 * command waits for that. What a node that died left behind, another one finds.
 */
import type { AnyBulkWriteOperation } from 'mongodb';
import type { Logger } from 'pino';
import type { Jobs } from '../../cluster/jobs.ts';
import type { NewestMessages } from '../../conversations/newest-messages.ts';
import { groupBy } from '../../lib/group-by.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import { groupRef } from '../../model/conversation-ref.ts';
import type { MembershipDocument } from '../../model/documents/conversations.ts';
import type { GroupMessageDocument } from '../../model/documents/messages.ts';
import { clearing } from './clearing.ts';
import type { MarkStore } from './mark-store.ts';
import { groupSettlements, pairSettlements, stretchesOf, type Unsettled } from './settlements.ts';

/** How long after a mark grew, in milliseconds: what follows it meanwhile is settled together with it. */
const AFTER_MS = 2500;
/**
 * How long marks stay unsettled once the messages say what they say, in milliseconds: whoever read the messages
 * before that looks at the marks afterwards, and must not find them settled.
 */
const CLEAR_AFTER_MS = 1500;
/** How often a node looks for what a dead node left behind, in milliseconds … */
const LOOK_MS = 4500;
/** … and from which age on marks are taken for that. */
const LEFT_MS = AFTER_MS + CLEAR_AFTER_MS + 500;
/** Conversations in one go. */
const AT_ONCE = 200;
/** Marks that are looked for at once. */
const MOST_LEFT = 1000;

export interface Settling {
  /** Stored messages of a conversation are behind its marks. */
  note(conversationId: string): void;
  /** Settles what was noted, and resolves when that is done; failures are left to another node. */
  close(): Promise<void>;
}

export interface SettlingOptions {
  collections: Pick<Collections, 'memberships' | 'messages' | 'group_messages'>;
  marks: Pick<MarkStore, 'settle'>;
  newest: Pick<NewestMessages, 'sendersWithin'>;
  jobs: Pick<Jobs, 'handle'>;
  clock(): Date;
  log: Logger;
  /** In milliseconds; for tests. */
  afterMs?: number;
  clearAfterMs?: number;
}

export function createSettling(options: SettlingOptions): Settling {
  const { collections, marks, jobs, clock, log, afterMs = AFTER_MS, clearAfterMs = CLEAR_AFTER_MS } = options;
  const { memberships, messages } = collections;
  const noted = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let settling: Promise<void> = Promise.resolve();
  const clears = new Set<NodeJS.Timeout>();
  const onError = (err: unknown) => log.warn({ err }, 'stored messages stay behind their marks for now');

  async function settle(conversationIds: string[]): Promise<void> {
    const found = await memberships
      .find<Unsettled>(
        { conversation_id: { $in: conversationIds }, settling_from: { $exists: true } },
        { hint: 'settling' },
      )
      .toArray();
    const inPairs = found.filter(({ kind }) => kind === 'direct').flatMap(pairSettlements);
    if (inPairs.length > 0) await messages.bulkWrite(inPairs, { ordered: false });
    await settleGroups(
      options,
      found.filter(({ kind }) => kind === 'group'),
    );
    if (found.length > 0) clearLater(found);
  }

  function clearLater(found: Unsettled[]): void {
    const clear = setTimeout(() => {
      clears.delete(clear);
      memberships.bulkWrite(found.flatMap(clearing)).then(() => {
        for (const one of found) marks.settle({ conversationId: one.conversation_id, userId: one.user_id }, one);
      }, onError);
    }, clearAfterMs).unref();
    clears.add(clear);
  }

  async function settleNoted(): Promise<void> {
    while (noted.size > 0) {
      const some = [...noted].slice(0, AT_ONCE);
      for (const id of some) noted.delete(id);
      await settle(some);
    }
  }

  function note(conversationId: string): void {
    noted.add(conversationId);
    timer ??= setTimeout(begin, afterMs).unref();
  }

  function begin(): void {
    timer = undefined;
    settling = settling.then(settleNoted).catch(onError);
  }

  jobs.handle('settle', {
    everyMs: LOOK_MS,
    async run() {
      const before = new Date(clock().getTime() - LEFT_MS);
      const left = await memberships
        .find({ settling_from: { $exists: true }, changed_at: { $lt: before } }, { hint: 'settling', limit: MOST_LEFT })
        .project<Pick<MembershipDocument, 'conversation_id'>>({ _id: 0, conversation_id: 1 })
        .toArray();
      const ids = [...new Set(left.map(({ conversation_id }) => conversation_id))];
      for (let from = 0; from < ids.length; from += AT_ONCE) await settle(ids.slice(from, from + AT_ONCE));
    },
  });

  return {
    note,
    async close() {
      clearTimeout(timer);
      begin();
      await settling;
      for (const clear of clears) clearTimeout(clear);
    },
  };
}

async function settleGroups({ collections, newest }: SettlingOptions, found: Unsettled[]): Promise<void> {
  const statements: AnyBulkWriteOperation<GroupMessageDocument>[] = [];
  for (const [id, unsettled] of groupBy(found, ({ conversation_id }) => conversation_id)) {
    for (const stretch of stretchesOf(unsettled)) {
      const senders = await newest.sendersWithin(groupRef(id), stretch.from, stretch.to);
      statements.push(...groupSettlements(id, stretch, senders.map(fromId)));
    }
  }
  if (statements.length > 0) await collections.group_messages.bulkWrite(statements, { ordered: false });
}

/**
 * Which conversations changed: whoever follows is told of each whose `rev` grew, whichever node wrote it and whatever died
 * in between. Each conversation is followed by the one node that has its partition. What that node writes itself it hears
 * at once; the rest it finds in the store. Nothing is added to a write, and without followers nothing is asked.
 */
import type { Logger } from 'pino';
import type { Jobs } from '../cluster/jobs.ts';
import type { Nodes } from '../cluster/nodes.ts';
import { type Partitions, partitionOf } from '../cluster/partitions.ts';
import { every } from '../lib/every.ts';
import { createLru } from '../lib/lru.ts';
import type { Collections } from '../model/collections.ts';
import { type ChangedConversation, createChangeLooks } from './change-looks.ts';

/** The job that compares summaries with the messages (inbox/summary-audit.ts). */
export const SUMMARY_AUDIT = 'summary-audit';

const LOOK_MS = 1000;
/** How often dead nodes are looked for, in milliseconds. */
const LOOK_FOR_DEAD_MS = 10_000;
/** Whoever begins to follow hears of it within seconds: what began longer ago is known from the partitions. */
const LATE_MS = 60_000;
/** For how many conversations the `rev` that was told is remembered. */
const REMEMBERED = 100_000;

export interface Follower {
  /** Told of changed conversations of this node's partitions, perhaps more than once of the same change. */
  changed(conversations: readonly ChangedConversation[]): void;
  /** Resolves when all that was told is stored, or done: it is not told again after a crash. */
  noted(): Promise<void>;
  /** Partitions have become this node's: their changes follow, from where the earlier owner was. */
  gained?(partitions: number[]): void;
  /** Partitions are another node's now: what was told of them is no concern of this node any more. */
  lost?(partitions: number[]): void;
}

export interface Following {
  /** Tells (again) of everything that changed lately, for what wants to know of changes since a time. */
  lookFrom(since: Date): void;
  close(): void;
}

export interface ChangedConversations {
  /** @param since from when on the follower wants to know of changes */
  follow(follower: Follower, since: Date): Following;
  /** Takes note of what this node has stored. */
  hint(id: string, rev: number): void;
  close(): void;
}

export interface ChangedConversationsOptions {
  collections: Pick<Collections, 'conversations' | 'nodes'>;
  partitions: Partitions;
  nodes: Pick<Nodes, 'deadAmong'>;
  jobs: Pick<Jobs, 'add'>;
  clock(): Date;
  log: Logger;
  /** In milliseconds; for tests. */
  lookMs?: number;
}

export function createChangedConversations(options: ChangedConversationsOptions): ChangedConversations {
  const { collections, partitions, clock } = options;
  const followers = new Map<Follower, Date>();
  const told = createLru<number>('followed changes', REMEMBERED);
  const looks = createChangeLooks({
    collections,
    partitions,
    clock,
    onFound: (found) => tell(found.filter((one) => isNews(one) && isMine(one))),
    async noted() {
      const all = [...followers.keys()];
      await Promise.all(all.map((follower) => follower.noted()));
      return all.length > 0;
    },
  });
  let started: { close(): void } | undefined;

  const isMine = ({ id }: ChangedConversation) => partitions.owns(partitionOf(id));
  const isNews = ({ id, rev }: ChangedConversation) => (told.get(id) ?? 0) < rev;

  function tell(changed: ChangedConversation[]): void {
    for (const { id, rev } of changed) told.set(id, rev);
    if (changed.length > 0) for (const follower of followers.keys()) follower.changed(changed);
  }

  const member = {
    gained(from: ReadonlyMap<number, Date | undefined>) {
      const earliest = Math.min(...[...followers.values()].map((since) => since.getTime()));
      looks.lookFrom(Math.min(...[...from.values()].map((done) => done?.getTime() ?? earliest)));
      looks.gained(from.keys());
      // What was told of them while they were this node's before, another one may have been told since.
      for (const id of [...told.keys()]) if (from.has(partitionOf(id))) told.delete(id);
      for (const { gained } of followers.keys()) gained?.([...from.keys()]);
    },
    lost(ids: number[]) {
      for (const { lost } of followers.keys()) lost?.(ids);
    },
  };

  return {
    follow(follower, since) {
      followers.set(follower, since);
      function lookFrom(from: Date): void {
        looks.lookFrom(Math.max(from.getTime(), clock().getTime() - LATE_MS));
        told.clear();
      }
      lookFrom(since);
      if (started) follower.gained?.(partitions.owned());
      else started = start(options, looks.look, () => partitions.join(member));
      return {
        lookFrom,
        close() {
          followers.delete(follower);
          if (followers.size > 0) return;
          started?.close();
          started = undefined;
        },
      };
    },
    hint(id, rev) {
      // Even if it was told: the summary may have been there before the message.
      if (followers.size > 0 && isMine({ id, rev })) tell([{ id, rev }]);
    },
    close() {
      followers.clear();
      started?.close();
    },
  };
}

/** Takes part, and looks again and again. */
function start(options: ChangedConversationsOptions, look: () => Promise<void>, join: () => () => void) {
  const { log, lookMs = LOOK_MS } = options;
  const looking = every(lookMs, look, (err) => log.warn({ err }, 'changes could not be looked for; trying again'));
  const lookForDead = () => checkSummariesOfDead(options);
  const watching = every(LOOK_FOR_DEAD_MS, lookForDead, (err) =>
    log.debug({ err }, 'dead nodes could not be looked for'),
  );
  const leave = join();
  return {
    close() {
      looking.close();
      watching.close();
      leave();
    },
  };
}

/**
 * A node that is killed may leave a stored message, not acknowledged, of which the summary says nothing. So a node that
 * finds a dead one, not dealt with so far, has all summaries compared with the messages.
 */
async function checkSummariesOfDead({
  collections: { nodes: records },
  nodes,
  jobs,
}: ChangedConversationsOptions): Promise<void> {
  const found = await records.find({ summaries_checked: { $exists: false } }, { projection: { _id: 1 } }).toArray();
  const dead = await nodes.deadAmong(found.map(({ _id }) => _id));
  if (dead.length === 0) return;
  await jobs.add(SUMMARY_AUDIT, `${dead[0]!}:`, { of: dead[0]! });
  await records.updateMany({ _id: { $in: dead } }, { $set: { summaries_checked: true } });
}

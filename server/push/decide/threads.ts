/**
 * Replies beside the conversation (`aside`) are pushed to those who follow the thread and to those whom they name,
 * unless they were read in the thread. Where neither the newest nor the oldest message is such a reply, nothing is
 * asked for this: none of the messages in between is pushed.
 */
import type { Document, ObjectId } from 'mongodb';
import { mentioning } from '../../conversations/mentioned.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import type { Collections } from '../../model/collections.ts';
import { KINDS, refFromId } from '../../model/conversation-ref.ts';
import type { ThreadMarkDocument } from '../../model/documents/messages.ts';
import type { Found } from './conversation-decision.ts';
import { type Asked, type Branch, findMessages, matchOf, readBranches } from './messages-found.ts';

export interface ThreadSources {
  collections: Pick<Collections, 'thread_marks'>;
  store: Pick<MessageStore, 'of'>;
}

/** Threads, as they are to one user. */
export interface OfUser {
  userId: ObjectId;
  rootIds: readonly ObjectId[];
}

/** A user's mark in a thread; undefined where there is none. */
export type MarkOf = (userId: ObjectId, rootId: ObjectId) => ThreadMarkDocument | undefined;

/** A thread with replies that may be pushed. */
interface Thread {
  rootId: ObjectId;
  isFollowed: boolean;
  readSeq: number;
}

const keyOf = (userId: ObjectId, rootId: ObjectId) => `${userId.toHexString()} ${rootId.toHexString()}`;

/** Reads users' marks in threads by one command; for no threads, by none. */
export async function readMarks(
  { collections: { thread_marks } }: Pick<ThreadSources, 'collections'>,
  asked: readonly OfUser[],
): Promise<MarkOf> {
  const some = asked.filter(({ rootIds }) => rootIds.length > 0);
  if (some.length === 0) return () => undefined;
  const alternatives = some.map(({ userId, rootIds }) => ({ user_id: userId, root_id: { $in: [...rootIds] } }));
  const found = await thread_marks.find({ $or: alternatives }, { batchSize: 1000 }).toArray();
  const markOf = new Map(found.map((mark) => [keyOf(mark.user_id, mark.root_id), mark]));
  return (userId, rootId) => markOf.get(keyOf(userId, rootId));
}

/** As `findMessages`, and without replies that the users are not to be told of. */
export async function findPushable(sources: ThreadSources, asked: readonly Asked[]): Promise<Found[]> {
  const found = await findMessages(sources.store, asked);
  const doubtful = asked.filter((_, i) => found[i]!.hasAside);
  if (doubtful.length === 0) return found;
  const again = await findMessages(sources.store, await narrow(sources, doubtful));
  const narrowed = new Map(doubtful.map((one, i) => [one, again[i]!]));
  return found.map((one, i) => {
    const { newest, oldestAt } = narrowed.get(asked[i]!) ?? one;
    // What came in between is found by the next look.
    return { ...one, newest, oldestAt };
  });
}

/** Adds the condition under which replies may be pushed. */
async function narrow(sources: ThreadSources, asked: readonly Asked[]): Promise<Asked[]> {
  const threads = await readThreads(sources, asked);
  return asked.map((one, i) => ({ ...one, where: { ...one.where, $or: alternativesOf(one, threads[i]!) } }));
}

function alternativesOf({ userId, above }: Asked, threads: readonly Thread[]): Document[] {
  const { mentioned } = mentioning(userId);
  const conditionOf = (isFollowed: boolean) => (isFollowed ? {} : { mentioned });
  const unread = (isFollowed: boolean) => {
    const some = threads.filter((one) => one.readSeq <= above && one.isFollowed === isFollowed);
    return { thread_id: { $in: some.map(({ rootId }) => rootId) }, ...conditionOf(isFollowed) };
  };
  const partlyRead = threads.filter(({ readSeq }) => readSeq > above);
  return [
    { aside: { $ne: true } },
    unread(true),
    unread(false),
    ...partlyRead.map(({ rootId, readSeq, isFollowed }) => {
      return { thread_id: rootId, seq: { $gt: readSeq }, ...conditionOf(isFollowed) };
    }),
  ];
}

/** The threads with replies among what is asked for, as they are to each user. */
async function readThreads(sources: ThreadSources, asked: readonly Asked[]): Promise<Thread[][]> {
  const { store } = sources;
  const rows = await readBranches<{ of: number; thread_id: ObjectId }>(store, asked.map(threadsBranch));
  const rootsOf = asked.map((_, i) => rows.filter(({ of }) => of === i).map(({ thread_id }) => thread_id));
  const [markOf, authorOf] = await Promise.all([
    readMarks(
      sources,
      asked.map(({ userId }, i) => ({ userId, rootIds: rootsOf[i]! })),
    ),
    readAuthors(store, asked, rootsOf),
  ]);
  return asked.map(({ userId }, i) =>
    rootsOf[i]!.map((rootId): Thread => {
      const { following, read_seq = 0 } = markOf(userId, rootId) ?? {};
      // The author begins to follow with the first reply of another, which may be stored before the mark that says so.
      const isFollowed = following ?? authorOf.get(rootId.toHexString())?.equals(userId) ?? false;
      return { rootId, isFollowed, readSeq: read_seq };
    }),
  );
}

function threadsBranch(asked: Asked, of: number): Branch {
  return {
    kind: refFromId(asked.conversationId).kind,
    stages: [
      { $match: { ...matchOf(asked), aside: true } },
      { $group: { _id: '$thread_id' } },
      { $project: { _id: 0, thread_id: '$_id', of: { $literal: of } } },
    ],
    ids: asked.without.length,
  };
}

/** Who wrote the messages that the threads hang on. */
async function readAuthors(
  store: ThreadSources['store'],
  asked: readonly Asked[],
  rootsOf: readonly ObjectId[][],
): Promise<Map<string, ObjectId>> {
  const found = await Promise.all(
    KINDS.map((kind) => {
      const places = asked.flatMap(({ conversationId }, i) =>
        refFromId(conversationId).kind === kind ? [{ conversationId, rootIds: rootsOf[i]! }] : [],
      );
      if (places.length === 0) return [];
      return store
        .of(kind)
        .find(
          {
            _id: { $in: places.flatMap(({ rootIds }) => rootIds) },
            conversation_id: { $in: places.map(({ conversationId }) => conversationId) },
          },
          { projection: { sender_id: 1 }, hint: { _id: 1 }, batchSize: 1000 },
        )
        .toArray();
    }),
  );
  return new Map(found.flat().map(({ _id, sender_id }) => [_id.toHexString(), sender_id]));
}

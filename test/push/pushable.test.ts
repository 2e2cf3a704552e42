/** Which messages may be pushed, where some are replies beside the conversation: against a model, on a real database. */
import fc from 'fast-check';
import { type Document, MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EVERYONE, mentioning } from '../../server/conversations/mentioned.ts';
import { createMessageStore, type MessageStore } from '../../server/conversations/message-store.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { install } from '../../server/model/install.ts';
import type { Asked } from '../../server/push/decide/messages-found.ts';
import { findPushable } from '../../server/push/decide/threads.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

const [user, peer, other] = [new ObjectId(), new ObjectId(), new ObjectId()];
const people = [user, peer, other];
const THREADS = 3;

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
let store: MessageStore;
beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  await install(client.db(), pino({ level: 'silent' }));
  stored = collections(client.db());
  store = createMessageStore(stored);
});
afterAll(async () => {
  await client?.close();
  await database?.stop();
});

const Post = fc.record({
  by: fc.nat(2),
  thread: fc.option(fc.nat(THREADS - 1), { nil: undefined }),
  inConversation: fc.boolean(),
  names: fc.constantFrom('nobody' as const, 'user' as const, 'everyone' as const),
  isDeleted: fc.boolean(),
});
/** The user's mark in each thread; absent: none. */
const Mark = fc.option(
  fc.record({ following: fc.option(fc.boolean(), { nil: undefined }), read: fc.nat(14) }, { requiredKeys: ['read'] }),
  { nil: undefined },
);
const Case = fc.record({
  posts: fc.array(Post, { maxLength: 10 }),
  marks: fc.tuple(Mark, Mark, Mark),
  above: fc.nat(12),
  isMuted: fc.boolean(),
  isBlocked: fc.boolean(),
});
type Case = typeof Case extends fc.Arbitrary<infer C> ? C : never;

/** The roots come first: of the user, the peer and the other. */
async function arrange({ posts, marks }: Case) {
  const group = new ObjectId();
  const conversation_id = group.toHexString();
  const roots = people.map(() => new ObjectId());
  const at = (seq: number) => new Date(1_700_000_000_000 + seq * 1000);
  const base = (seq: number) => ({
    ...{
      conversation_id,
      group_id: group,
      seq,
      rev: seq,
      revs: [seq],
      content: `${seq}`,
      message_type: 'text' as const,
    },
    ...{ attachment: null, created_at: at(seq), updated_at: at(seq), read_by: [] },
  });
  const documents = [
    ...roots.map((_id, i) => ({ ...base(i + 1), _id, sender_id: people[i]!, is_deleted: false })),
    ...posts.map(({ by, thread, inConversation, names, isDeleted }, i) => ({
      ...base(i + 1 + THREADS),
      _id: new ObjectId(),
      sender_id: people[by]!,
      is_deleted: isDeleted,
      ...(thread === undefined ? {} : { thread_id: roots[thread]! }),
      ...(thread === undefined ? {} : inConversation ? { in_conversation: true as const } : { aside: true as const }),
      ...(names === 'nobody' || isDeleted ? {} : { mentioned: [names === 'user' ? user : EVERYONE] }),
    })),
  ] as MessageDocument[];
  await store.of('group').insertMany(documents);
  const placed = marks.flatMap((mark, i) =>
    mark
      ? [
          {
            ...{ _id: new ObjectId(), user_id: user, root_id: roots[i]!, conversation_id, root_seq: i + 1 },
            ...(mark.following === undefined ? {} : { following: mark.following }),
            read_seq: mark.read,
          },
        ]
      : [],
  );
  if (placed.length > 0) await stored.thread_marks.insertMany(placed);
  return { conversation_id, roots, documents, at };
}

/** What section 15 says, by looking at one message after the other. */
function isPushable({ marks, above, isMuted, isBlocked }: Case, roots: ObjectId[], message: MessageDocument): boolean {
  const { seq, sender_id, is_deleted, mentioned, aside, thread_id } = message;
  if (seq <= above || is_deleted || sender_id.equals(user) || (isBlocked && sender_id.equals(other))) return false;
  const isNamed = mentioned !== undefined;
  if (isMuted && !isNamed) return false;
  if (!aside) return true;
  const thread = roots.findIndex((root) => root.equals(thread_id!));
  const mark = marks[thread];
  if (seq <= (mark?.read ?? 0)) return false;
  return isNamed || (mark?.following ?? people[thread] === user);
}

it('the newest and the oldest are those that a look at each message finds', async () => {
  await fc.assert(
    fc.asyncProperty(Case, fc.boolean(), async (one, oldest) => {
      const { conversation_id, roots, documents, at } = await arrange(one);
      const asked: Asked = {
        ...{ conversationId: conversation_id, userId: user, above: one.above, since: new Date(0), oldest },
        without: one.isBlocked ? [user, other] : [user],
        where: one.isMuted ? mentioning(user) : {},
      };
      const expected = documents.filter((message) => isPushable(one, roots, message));
      // Beside another job, as they come.
      const [found] = await findPushable({ collections: stored, store }, [asked, { ...asked, above: 1000 }]);
      expect(found!.seq).toBe(documents.length);
      expect(found!.newest?.seq).toBe(expected.at(-1)?.seq);
      if (oldest) expect(found!.oldestAt).toEqual(expected[0] && at(expected[0].seq));
    }),
    { numRuns: 40 },
  );
}, 120_000);

it('no command names more ids than it can hold, whoever many users block', async () => {
  const pipelines: Document[][] = [];
  const fake = {
    of: () => ({
      collectionName: 'group_messages',
      aggregate(pipeline: Document[]) {
        pipelines.push(pipeline);
        return { toArray: async () => [] };
      },
    }),
  } as unknown as Pick<MessageStore, 'of'>;
  const without = Array<ObjectId>(20_000).fill(other);
  const asked: Asked[] = Array.from({ length: 50 }, () => ({
    ...{ conversationId: new ObjectId().toHexString(), userId: user, without, above: 0, since: new Date(0) },
    ...{ where: {}, oldest: true },
  }));
  await findPushable({ collections: stored, store: fake }, asked);
  const stages = pipelines.map((pipeline) => pipeline.flatMap((stage) => stage.$unionWith?.pipeline ?? [stage]));
  const idsOf = (all: Document[]) => all.reduce((sum, { $match }) => sum + ($match?.sender_id?.$nin.length ?? 0), 0);
  expect(Math.max(...stages.map(idsOf))).toBeLessThanOrEqual(50_000);
  expect(stages.flat().filter(({ $match }) => $match)).toHaveLength(4 * asked.length);
});

/**
 * Users of a pair or a group send, acknowledge, read and change their settings at random, on two nodes that forget what
 * they know now and then. What is shown at each moment, and what is stored in the end, must be what a model says that
 * applies each event by itself.
 */
import fc from 'fast-check';
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAccessRules } from '../../../server/conversations/access-rules.ts';
import { createAudience } from '../../../server/conversations/audience.ts';
import { createMessageStore } from '../../../server/conversations/message-store.ts';
import { createNewestMessages } from '../../../server/conversations/newest-messages.ts';
import { createVisibility } from '../../../server/conversations/visibility.ts';
import type { Caller } from '../../../server/dispatch/caller.ts';
import { createMarkStore } from '../../../server/inbox/marks/mark-store.ts';
import { createSettling } from '../../../server/inbox/marks/settling.ts';
import { createReceipts } from '../../../server/inbox/receipts.ts';
import { draftOf } from '../../../server/messages/drafts.ts';
import { type Collections, collections } from '../../../server/model/collections.ts';
import { type ConversationRef, groupRef, pairRef } from '../../../server/model/conversation-ref.ts';
import type { UserDocument } from '../../../server/model/documents/accounts.ts';
import type { MembershipDocument } from '../../../server/model/documents/conversations.ts';
import type { GroupDocument } from '../../../server/model/documents/groups.ts';
import type {
  GroupMessageDocument,
  MessageDocument,
  PairMessageDocument,
} from '../../../server/model/documents/messages.ts';
import { install } from '../../../server/model/install.ts';
import { startDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { uncached } from '../../support/lookups.ts';
import { createMarkModel, type MarkModel } from './mark-model.ts';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let client: MongoClient;
let stored: Collections;

beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url, { ignoreUndefined: true }).connect();
  await install(client.db(), log);
  stored = collections(client.db());
});
afterAll(async () => {
  await client?.close();
  await database?.stop();
});

/** A node's receipts, which settle at once, and what the node remembers. */
function createNode() {
  const clock = () => new Date();
  const store = createMessageStore(stored);
  const newest = createNewestMessages({ store, isAlone: () => false, hears: () => false, clock });
  const marks = createMarkStore(stored);
  const settling = createSettling({
    collections: stored,
    marks,
    newest,
    jobs: { handle: () => {} },
    clock,
    log,
    afterMs: 0,
    clearAfterMs: 0,
  });
  const receipts = createReceipts({
    store,
    newest,
    marks,
    access: createAccessRules(stored, createVisibility(false), uncached),
    audience: createAudience(stored, uncached),
    bus: { emit: () => {}, viewChanged: () => {} },
    onUnsettled: settling.note,
    clock,
  });
  return { receipts, store, settling };
}

interface Scene {
  conversation: ConversationRef;
  users: ObjectId[];
  model: MarkModel;
}

async function createScene(size: number): Promise<Scene> {
  const users = Array.from({ length: size }, () => new ObjectId());
  const [one, other] = users.map((id) => id.toHexString()) as [string, string];
  const group = new ObjectId();
  const conversation = size === 2 ? pairRef(one, other) : groupRef(group.toHexString());
  const at = new Date();
  await client
    .db()
    .collection<Partial<UserDocument>>('users')
    .insertMany(
      users.map((_id) => ({
        _id,
        username: `${_id}`,
        username_key: `${_id}`,
        email: `${_id}@example.test`,
        email_key: `${_id}`,
        password: 'x',
        created_at: at,
        updated_at: at,
        last_seen: at,
        is_active: true,
        settings: {} as UserDocument['settings'],
      })),
    );
  await stored.memberships.insertMany(
    users.map(
      (user_id, i) =>
        ({
          _id: new ObjectId(),
          user_id,
          conversation_id: conversation.id,
          kind: conversation.kind,
          ...(size === 2 ? { peer_id: users[1 - i]! } : { group_id: group }),
          from_seq: 0,
          joined_at: at,
          delivered_seq: 0,
          read_seq: 0,
          shown_read_seq: 0,
          changed_at: at,
        }) satisfies MembershipDocument,
    ),
  );
  if (size > 2) {
    await stored.groups.insertOne({
      _id: group,
      name: 'Crew',
      description: null,
      icon: null,
      creator_id: users[0]!,
      members: users,
      admins: [users[0]!],
      created_at: at,
      updated_at: at,
      is_active: true,
    } satisfies GroupDocument);
  }
  return { conversation, users, model: createMarkModel(size) };
}

type Node = ReturnType<typeof createNode>;

async function send({ conversation, users, model }: Scene, { store }: Node, sender: number): Promise<void> {
  model.send(sender);
  const seq = model.messages.length;
  const at = new Date();
  const target =
    conversation.kind === 'group'
      ? { group_id: conversation.group_id }
      : { recipient_id: users[1 - sender]!.toHexString() };
  const draft = draftOf(new ObjectId(), users[sender]!, conversation.id, { content: `${seq}`, ...target });
  await store.insert(conversation, [
    { ...draft, seq, rev: seq, revs: [seq], created_at: at, updated_at: at } as MessageDocument,
  ]);
}

async function acknowledge(scene: Scene, node: Node, user: number, kind: 'delivered' | 'read', part: number) {
  const { conversation, users, model } = scene;
  const newest = model.messages.length;
  if (newest === 0) return;
  const up_to_seq = Math.round(part * newest);
  const target =
    conversation.kind === 'group'
      ? { group_id: conversation.group_id }
      : { recipient_id: users[1 - user]!.toHexString() };
  const caller = { userId: users[user]!, id: users[user]!.toHexString(), socketId: undefined } as unknown as Caller;
  const answer = await node.receipts[`message:${kind}`](caller, { ...target, up_to_seq });
  model[kind](user, up_to_seq);
  if (kind === 'delivered') return;
  const unread = model.messages.filter(({ seq, sender }) => seq > model.members[user]!.read && sender !== user);
  expect(answer).toEqual({ unread_count: unread.length });
}

async function setReceipts({ users, model }: Scene, user: number, receipts: boolean): Promise<void> {
  model.members[user]!.receipts = receipts;
  await stored.users.updateOne({ _id: users[user]! }, { $set: { 'settings.read_receipts_enabled': receipts } });
}

/** What is said of each message: a pair's status, or a group's readers. */
function told(messages: MessageDocument[], users: ObjectId[]): unknown[] {
  return messages.map((message) =>
    'group_id' in message
      ? (message as GroupMessageDocument).read_by.map((id) => users.findIndex((user) => user.equals(id))).sort()
      : (message as PairMessageDocument).status,
  );
}

function expected({ model }: Scene): unknown[] {
  return model.messages.map((one) => (model.members.length > 2 ? [...one.readers].sort() : model.statusOf(one)));
}

const readAll = ({ store }: Node, { id, kind }: ConversationRef) =>
  store.of(kind).find({ conversation_id: id }).sort({ seq: 1 }).toArray();

/** What is shown, and the marks, are as the model says. */
async function compare(scene: Scene, node: Node): Promise<void> {
  const { conversation, users, model } = scene;
  const messages = await node.store.show(await readAll(node, conversation));
  expect(told(messages, users)).toEqual(expected(scene));
  const found = await stored.memberships.find({ conversation_id: conversation.id }).toArray();
  const marks = users.map((user) => {
    const { delivered_seq, read_seq, shown_read_seq } = found.find(({ user_id }) => user_id.equals(user))!;
    return [delivered_seq, read_seq, shown_read_seq];
  });
  expect(marks).toEqual(model.members.map(({ delivered, read, shownRead }) => [delivered, read, shownRead]));
}

const SIZE = 4;
const user = fc.nat(SIZE - 1);
const part = fc.constantFrom(0, 0.3, 0.5, 0.7, 1, 1);
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), user }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delivered' as const), user, part, node: fc.nat(1) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), user, part, node: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), user, receipts: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), node: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const) }) },
);

it.each([
  ['a pair', 2],
  ['a group', SIZE],
])('%s is shown, and in the end stored, what was told at the time of each reading', async (_of, size) => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) => {
      const scene = await createScene(size);
      const nodes = [createNode(), createNode()];
      for (const one of events) {
        if (one.do === 'send') await send(scene, nodes[0]!, one.user % size);
        else if (one.do === 'set') await setReceipts(scene, one.user % size, one.receipts);
        else if (one.do === 'restart') nodes[one.node] = createNode();
        else if (one.do === 'pause') await new Promise((resolve) => setTimeout(resolve, 5));
        else await acknowledge(scene, nodes[one.node]!, one.user % size, one.do, one.part);
        await compare(scene, nodes[0]!);
      }
      for (const node of nodes) node.settling.note(scene.conversation.id);
      await eventually(async () => {
        const unsettled = { conversation_id: scene.conversation.id, settling_from: { $exists: true } };
        expect(await stored.memberships.countDocuments(unsettled)).toBe(0);
      });
      expect(told(await readAll(nodes[0]!, scene.conversation), scene.users)).toEqual(expected(scene));
      await compare(scene, nodes[0]!);
    }),
    { numRuns: 25 },
  );
});

it('marks of many members at once grow by few writes, and each is acknowledged when it is stored', async () => {
  const scene = await createScene(60);
  const node = createNode();
  await send(scene, node, 0);
  await Promise.all(scene.users.slice(1).map((_, i) => acknowledge(scene, node, i + 1, 'read', 1)));
  await compare(scene, node);
});

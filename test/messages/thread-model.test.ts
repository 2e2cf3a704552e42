/** Any sequence of sends, replies, edits, deletions, marks and joins on two nodes leaves the counts that a model counts by hand. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Message } from '../../shared/contract/documents.ts';
import { connect, type Device, registerMany } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const USERS = 4;
/** The last user joins and leaves; the first one is the admin. */
const GUEST = USERS - 1;

const user = fc.nat({ max: USERS - 1 });
const pick = fc.nat({ max: 1000 });
const mentioned = fc.option(fc.record({ named: fc.uniqueArray(user, { maxLength: 2 }), everyone: fc.boolean() }), {
  nil: undefined,
});
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), user, mentioned }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('reply' as const), user, pick, isProper: fc.boolean(), mentioned }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mention' as const), pick, mentioned }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), user, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('thread read' as const), user, pick, upTo: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('follow' as const), user, pick, isWanted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('come or go' as const) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface ModelMessage {
  id: string;
  seq: number;
  sender: number;
  root: ModelMessage | undefined;
  isProper: boolean;
  isDeleted: boolean;
  named: number[];
  everyone: boolean;
}

let cluster: Cluster;
/** On the two nodes by turns. */
let devices: Device[];

beforeAll(async () => {
  cluster = await startCluster(2);
  const accounts = await registerMany(cluster.urls[0]!, USERS);
  devices = await Promise.all(accounts.map((account, i) => connect(cluster.urls[i % 2]!, account)));
});
afterAll(() => cluster.stop());

/** The group as it must be, and the commands that lead there. */
async function play(operations: readonly Operation[]) {
  const { group } = await devices[0]!.ok('group:create', {
    name: 'Crew',
    member_ids: devices.slice(1, GUEST).map(({ id }) => id),
  });
  const target = { group_id: group._id };
  const messages: ModelMessage[] = [];
  const read = Array.from({ length: USERS }, () => 0);
  const floor = Array.from({ length: USERS }, () => 0);
  /** By root and user: whether it is followed, undefined while nothing has decided; and the mark. */
  const follows = new Map<string, boolean>();
  const threadRead = new Map<string, number>();
  let isGuestIn = false;

  const key = (root: ModelMessage, who: number) => `${root.id} ${who}`;
  const isIn = (who: number) => who !== GUEST || isGuestIn;
  const sees = (who: number, message: ModelMessage) => isIn(who) && message.seq > floor[who]!;
  const roots = (who: number) => messages.filter((one) => !one.root && sees(who, one));
  const choose = <T>(some: readonly T[], at: number): T | undefined => some[at % Math.max(some.length, 1)];

  /** Those who may be named by a sender. */
  function naming(who: number, wanted: { named: number[]; everyone: boolean } | undefined) {
    const named = (wanted?.named ?? []).filter((one) => one !== who && isIn(one));
    const everyone = wanted?.everyone ?? false;
    const mentions = {
      ...(named.length > 0 ? { user_ids: named.map((one) => devices[one]!.id) } : {}),
      ...(everyone ? { everyone: true as const } : {}),
    };
    return { named, everyone, mentions };
  }

  async function send(
    who: number,
    wanted: { named: number[]; everyone: boolean } | undefined,
    root?: ModelMessage,
    isProper = true,
  ) {
    const { named, everyone, mentions } = naming(who, wanted);
    const { message } = await devices[who]!.ok('message:send', {
      ...target,
      content: 'x',
      ...(named.length > 0 || everyone ? { mentions } : {}),
      ...(root ? { thread_id: root.id, ...(isProper ? { in_conversation: true as const } : {}) } : {}),
    });
    messages.push({
      id: message._id,
      seq: message.seq,
      sender: who,
      root,
      isProper,
      isDeleted: false,
      named,
      everyone,
    });
    if (!root) return;
    for (const one of [who, ...named]) follows.set(key(root, one), true);
    const author = key(root, root.sender);
    if (root.sender !== who && isIn(root.sender) && !follows.has(author)) follows.set(author, true);
  }

  async function act(one: Operation): Promise<void> {
    switch (one.do) {
      case 'send':
        if (isIn(one.user)) await send(one.user, one.mentioned);
        return;
      case 'reply': {
        const root = choose(
          roots(one.user).filter(({ isDeleted }) => !isDeleted),
          one.pick,
        );
        if (root) await send(one.user, one.mentioned, root, one.isProper);
        return;
      }
      case 'mention': {
        const message = choose(
          messages.filter(({ isDeleted, sender }) => !isDeleted && isIn(sender)),
          one.pick,
        );
        if (!message || !sees(message.sender, message)) return;
        const { named, everyone, mentions } = naming(message.sender, one.mentioned);
        await devices[message.sender]!.ok('message:edit', { message_id: message.id, content: 'x', mentions });
        const { root } = message;
        if (root) for (const who of named) if (!message.named.includes(who)) follows.set(key(root, who), true);
        Object.assign(message, { named, everyone });
        return;
      }
      case 'delete': {
        const message = choose(messages, one.pick);
        if (!message) return;
        await devices[0]!.ok('message:delete', { message_id: message.id });
        Object.assign(message, { isDeleted: true, named: [], everyone: false });
        return;
      }
      case 'read': {
        if (!isIn(one.user) || messages.length === 0) return;
        const up_to_seq = one.pick % (messages.length + 1);
        await devices[one.user]!.ok('message:read', { ...target, up_to_seq });
        read[one.user] = Math.max(read[one.user]!, up_to_seq);
        return;
      }
      case 'thread read': {
        const root = choose(roots(one.user), one.pick);
        if (!root) return;
        const up_to_seq = one.upTo % (messages.length + 1);
        await devices[one.user]!.ok('thread:read', { message_id: root.id, up_to_seq });
        threadRead.set(key(root, one.user), Math.max(threadRead.get(key(root, one.user)) ?? 0, up_to_seq));
        return;
      }
      case 'follow': {
        const root = choose(roots(one.user), one.pick);
        if (!root) return;
        await devices[one.user]!.ok('thread:follow', { message_id: root.id, following: one.isWanted });
        follows.set(key(root, one.user), one.isWanted);
        return;
      }
      case 'come or go': {
        const user_id = devices[GUEST]!.id;
        if (isGuestIn) await devices[0]!.ok('group:remove_member', { ...target, user_id });
        else await devices[0]!.ok('group:add_members', { ...target, user_ids: [user_id] });
        isGuestIn = !isGuestIn;
        if (!isGuestIn) return;
        floor[GUEST] = messages.length;
        read[GUEST] = Math.max(read[GUEST]!, messages.length);
      }
    }
  }
  for (const one of operations) await act(one);

  const newestFirst = messages.toReversed();
  const isUnread = (who: number, message: ModelMessage) =>
    sees(who, message) && message.seq > read[who]! && message.sender !== who && !message.isDeleted;
  const repliesTo = (root: ModelMessage) => messages.filter((one) => one.root === root && !one.isDeleted);

  function conversation(who: number) {
    const last = newestFirst.find(({ isProper }) => isProper);
    return {
      unread_count: messages.filter((one) => one.isProper && isUnread(who, one)).length,
      mention_count: messages.filter((one) => isUnread(who, one) && (one.everyone || one.named.includes(who))).length,
      last: last && sees(who, last) ? last.id : undefined,
      last_seq: messages.length,
    };
  }

  function thread(who: number, root: ModelMessage) {
    const replies = repliesTo(root);
    const mark = threadRead.get(key(root, who)) ?? 0;
    return {
      reply_count: replies.length,
      users: [...new Set(replies.toReversed().map(({ sender }) => devices[sender]!.id))].slice(0, 5),
      following: follows.get(key(root, who)) ?? false,
      read_seq: mark,
      unread_count: replies.filter(({ seq, sender }) => seq > mark && sender !== who).length,
    };
  }

  /** The ids of the roots that a user's list has. */
  function list(who: number): string[] {
    const ids = newestFirst.flatMap(({ root, isDeleted }) => {
      const isListed = root && !isDeleted && sees(who, root) && follows.get(key(root, who));
      return isListed ? [root.id] : [];
    });
    return [...new Set(ids)];
  }
  const visible = (who: number) =>
    messages.filter((one) => sees(who, one)).map(({ id, isDeleted }) => ({ _id: id, is_deleted: isDeleted }));
  return { target, roots, isIn, visible, conversation, thread, list };
}

/** What a device that has nothing gets of a group. */
async function syncOf(device: Device, groupId: string) {
  for (let cursor: string | undefined; ; ) {
    const page = await device.ok('sync', { newest: 200, ...(cursor === undefined ? {} : { cursor }) });
    const found = page.conversations.find(({ conversation }) => conversation.conversation_id === groupId);
    if (found && !found.has_more) return { ...found, messages: found.messages.toSorted(bySeq) };
    cursor = page.cursor;
    if (cursor === undefined) throw new Error('the group is not in sync');
  }
}

const bySeq = (one: Message, other: Message) => one.seq - other.seq;

async function check({ target, roots, isIn, visible, conversation, thread, list }: Awaited<ReturnType<typeof play>>) {
  for (const [who, device] of devices.entries()) {
    if (!isIn(who)) continue;
    const { conversations } = await device.ok('conversation:list');
    const synced = await syncOf(device, target.group_id);
    const listed = conversations.find(({ conversation_id }) => conversation_id === target.group_id)!;
    for (const { unread_count, mention_count, last_message, last_seq } of [listed, synced.conversation]) {
      expect({ unread_count, mention_count, last: last_message?._id, last_seq }).toEqual(conversation(who));
    }
    expect(synced.messages.map(({ _id, is_deleted }) => ({ _id, is_deleted }))).toEqual(visible(who));
    for (const root of roots(who)) {
      const found = await device.ok('message:thread', { message_id: root.id });
      const { following, read_seq, unread_count: unread } = found;
      const { reply_count = 0, user_ids: users = [] } = found.root.thread ?? {};
      expect({ reply_count, users, following, read_seq, unread_count: unread }).toEqual(thread(who, root));
    }
    const { threads } = await device.ok('thread:list', { limit: 100 });
    const ofGroup = threads.filter(({ root }) => root.conversation_id === target.group_id);
    expect(ofGroup.map(({ root }) => root._id)).toEqual(list(who));
  }
}

it('counts of threads and mentions are those of a model that counts by hand', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
      const group = await play(operations);
      await eventually(() => check(group));
    }),
    { numRuns: 5, endOnFailure: true },
  );
}, 240_000);

/** Answers of `sync` and pages of the list are bounded, whatever there is, and continued by their cursors. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../server/dispatch/caller.ts';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import { type Inbox, openInbox } from './in-process.ts';
import { addMessage, createUserWithGroups, createUserWithPairs } from './many-conversations.ts';

type Synced = CommandData<'sync'>;

/** Half a mebibyte of conversations, as much of messages, and the one of each that was there before it was full. */
const MOST_BYTES = 1.1 * 1024 * 1024;

let inbox: Inbox;
beforeAll(async () => {
  inbox = await openInbox();
});
afterAll(() => inbox.close());

async function sync(caller: Caller, payload: CommandPayload<'sync'>): Promise<Synced> {
  const answer = await inbox.domain.handlers.sync(caller, payload);
  expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(MOST_BYTES);
  return answer;
}

/** What a client has after answers of `sync`. */
interface Client {
  revs: Record<string, number>;
  /** How often each conversation was told to be complete. */
  completed: Map<string, number>;
  /** The `seq`s of each conversation, in the order in which they came. */
  seqs: Map<string, number[]>;
}

const newClient = (revs: Record<string, number> = {}): Client => ({
  revs: { ...revs },
  completed: new Map(),
  seqs: new Map(),
});

function take(client: Client, answer: Synced): void {
  for (const { conversation, messages, has_more } of answer.conversations) {
    const id = conversation.conversation_id;
    client.seqs.set(id, [...(client.seqs.get(id) ?? []), ...messages.map(({ seq }) => seq)]);
    if (messages.length > 0) client.revs[id] = messages.at(-1)!.rev;
    if (has_more) continue;
    client.revs[id] = conversation.rev;
    client.completed.set(id, (client.completed.get(id) ?? 0) + 1);
  }
}

/** Repeats by the cursor until nothing is left. Resolves with the answers. */
async function syncByCursor(
  caller: Caller,
  client: Client,
  payload: CommandPayload<'sync'> = {},
  between: (answer: Synced) => Promise<void> = async () => {},
): Promise<Synced[]> {
  const answers: Synced[] = [];
  let cursor: string | undefined;
  do {
    const answer = await sync(caller, { conversations: client.revs, ...payload, ...(cursor ? { cursor } : {}) });
    answers.push(answer);
    take(client, answer);
    await between(answer);
    cursor = answer.cursor;
  } while (cursor !== undefined);
  return answers;
}

const ids = ({ conversations }: Synced) => conversations.map(({ conversation }) => conversation.conversation_id);
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

describe('by the cursor', () => {
  test('a conversation is listed until it is complete, at most 100 in an answer, and gone and calls come once', async () => {
    const { caller, revs } = await createUserWithPairs(inbox.stored, 250, 600);
    const client = newClient({ 'not there': 3 });
    const [first, ...rest] = await syncByCursor(caller, client, { limit: 60 });
    expect(ids(first!).sort()).toEqual(Object.keys(revs).sort());
    expect(first).toMatchObject({ gone: ['not there'], has_more: true });
    for (const [i, answer] of rest.entries()) {
      expect(answer).toMatchObject({ gone: [], calls: [], server_time: first!.server_time });
      expect(answer.conversations.length).toBeLessThanOrEqual(100);
      expect(answer.conversations.flatMap(({ messages }) => messages).length).toBeLessThanOrEqual(60);
      expect(answer.has_more).toBe(i < rest.length - 1);
    }
    // Of every answer, all but the last conversation are complete with it.
    const cut = rest.flatMap(({ conversations }) => conversations.filter((one) => one.has_more));
    expect(cut.length).toBeLessThan(rest.length);
    expect(new Set(client.completed.values())).toEqual(new Set([1]));
    for (const id of Object.keys(revs)) {
      const { last_seq } = (await inbox.stored.conversations.findOne({ _id: id }))!;
      expect(client.seqs.get(id)).toEqual(upTo(last_seq));
    }
  });

  test('alone, without revs, each message comes once', async () => {
    const { caller, revs } = await createUserWithPairs(inbox.stored, 20, 100);
    const client = newClient();
    let { cursor, ...first } = await sync(caller, { limit: 7 });
    take(client, first);
    while (cursor) {
      const answer = await sync(caller, { cursor, limit: 7 });
      take(client, answer);
      cursor = answer.cursor;
    }
    expect(client.completed.size).toBe(Object.keys(revs).length);
    for (const seqs of client.seqs.values()) expect(seqs).toEqual(upTo(seqs.length));
    expect([...client.seqs.values()].flat()).toHaveLength(120);
  });

  test.each([
    ['without since', false],
    ['with since', true],
  ])('%s, what moves up between two answers is not missed', async (_how, withSince) => {
    const { caller, revs } = await createUserWithPairs(inbox.stored, 120, 240);
    const since = withSince ? { since: new Date(0).toISOString() } : {};
    const client = newClient();
    const moved: string[] = [];
    await syncByCursor(caller, client, { ...since, limit: 20 }, async ({ has_more }) => {
      // The last in the order: the walk has not come to it, and passes it when it moves up.
      const lacking = Object.keys(revs).filter((id) => !client.completed.has(id) && !moved.includes(id));
      if (!has_more || lacking.length === 0) return;
      moved.push(lacking.at(-1)!);
      await addMessage(inbox.stored, lacking.at(-1)!);
    });
    expect(moved.length).toBeGreaterThan(5);
    for (const id of moved) {
      const { last_seq } = (await inbox.stored.conversations.findOne({ _id: id }))!;
      expect(client.seqs.get(id)).toEqual(upTo(last_seq));
    }
    expect(client.completed.size).toBe(120);
  });

  test('the next since finds what changed in a conversation after it was complete', async () => {
    const { caller, revs } = await createUserWithPairs(inbox.stored, 20, 100);
    const client = newClient();
    let changed: string | undefined;
    const answers = await syncByCursor(caller, client, { limit: 20 }, async () => {
      if (changed) return;
      [changed] = client.completed.keys();
      // A mark grows: no rev tells of it.
      await inbox.stored.memberships.updateOne(
        { conversation_id: changed!, user_id: { $ne: caller.userId } },
        { $set: { marks_at: new Date() } },
      );
    });
    expect(answers.length).toBeGreaterThan(1);
    expect(Object.keys(revs)).toContain(changed);
    const later = await sync(caller, { conversations: client.revs, since: answers.at(-1)!.server_time });
    expect(ids(later)).toEqual([changed]);
  });

  test('complete conversations cost nothing but their outlines', async () => {
    const { caller, revs } = await createUserWithPairs(inbox.stored, 1000, 1000);
    // The busy ones are the first hundred; the client has all the others.
    const { cursor } = await sync(caller, { conversations: revs, limit: 10 });
    const before = inbox.bytesRead();
    const answer = await sync(caller, { conversations: revs, limit: 10, cursor: cursor! });
    expect(answer.conversations.flatMap(({ messages }) => messages)).toHaveLength(10);
    expect(inbox.bytesRead() - before).toBeLessThan(500_000);
  });
});

describe('a user in 1,000 groups', () => {
  test('is told of all of them by the cursor, in answers of bounded size', async () => {
    const { caller, ids: groups } = await createUserWithGroups(inbox.stored, 1000, 3);
    const client = newClient();
    const answers = await syncByCursor(caller, client);
    expect([...client.completed.keys()].sort()).toEqual([...groups].sort());
    expect(new Set(client.completed.values())).toEqual(new Set([1]));
    for (const { conversations } of answers.slice(1)) expect(conversations.length).toBeLessThanOrEqual(100);
  });

  test('is told of all of them without the cursor too, and comes to an end', async () => {
    const { caller, ids: groups } = await createUserWithGroups(inbox.stored, 1000, 3);
    const client = newClient();
    for (let answers = 1, hasMore = true; hasMore; answers++) {
      const answer = await sync(caller, { conversations: client.revs });
      take(client, answer);
      hasMore = answer.has_more;
      expect(answers).toBeLessThan(50);
    }
    expect([...client.completed.keys()].sort()).toEqual([...groups].sort());
  });

  test('is not asked to repeat without the cursor for what is complete, but is told of it by the cursor', async () => {
    const { caller, ids: groups } = await createUserWithGroups(inbox.stored, 1000, 3);
    const client = newClient(Object.fromEntries(groups.map((id) => [id, 0])));
    const [first] = await syncByCursor(caller, client);
    expect(first).toMatchObject({ has_more: false });
    expect(first!.conversations.length).toBeLessThan(1000);
    expect(client.completed.size).toBe(1000);
  });

  test('is shown a page of the list that reads none of the groups which are not on it', async () => {
    const { caller } = await createUserWithGroups(inbox.stored, 1000, 200);
    const before = inbox.bytesRead();
    const { conversations } = await inbox.domain.handlers['conversation:list'](caller, { limit: 20 });
    expect(conversations).toHaveLength(20);
    expect(inbox.bytesRead() - before).toBeLessThan(1_000_000);
  });
});

test('a page of conversation:list ends before it grows too large, and its cursor goes on', async () => {
  const { caller, ids: groups } = await createUserWithGroups(inbox.stored, 30, 1024);
  const listed: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await inbox.domain.handlers['conversation:list'](caller, {
      limit: 100,
      ...(cursor ? { cursor } : {}),
    });
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(MOST_BYTES);
    listed.push(...page.conversations.map(({ conversation_id }) => conversation_id));
    cursor = page.cursor;
    pages++;
  } while (cursor);
  expect(pages).toBeGreaterThan(1);
  expect(listed.sort()).toEqual(groups.sort());
});

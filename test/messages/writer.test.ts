import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { MOST_PINNED, withPin } from '../../server/messages/pin.ts';
import { withReaction } from '../../server/messages/reactions.ts';
import { Overtaken } from '../../server/messages/slow-mode.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { createMemoryStore, type Fault } from './memory-store.ts';

import { ann, conversation, createNode, draft, range } from './writer-node.ts';

const immediate = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the writer', () => {
  it('stores sends that arrive while it is busy by one command, and opens a pair before its first message', async () => {
    const { store, commands } = createMemoryStore(immediate);
    const { writer, told, opened } = createNode(store);
    const first = writer.send(conversation, draft('1'), 'socket');
    await immediate();
    const others = range(10).map((i) => writer.send(conversation, draft(`${i + 1}`), undefined));
    const sent = await Promise.all([first, ...others]);
    expect(sent.map(({ message }) => [message.seq, message.content])).toEqual(range(11).map((i) => [i, `${i}`]));
    expect(commands).toEqual(['newest', 'insert', 'insert']);
    expect(opened).toEqual([conversation.id]);
    expect(told.map(({ rev, last_seq, is_new }) => [rev, last_seq, is_new])).toEqual(
      range(11).map((i) => [i, i, true]),
    );
    expect(told.map(({ except_socket }) => except_socket)).toEqual(['socket', ...Array(10).fill(undefined)]);
  });

  it('keeps changes between the sends before and after them', async () => {
    const { store } = createMemoryStore(immediate);
    const { writer } = createNode(store);
    const { message } = await writer.send(conversation, draft('old'), undefined);
    const [before, amended, after] = await Promise.all([
      writer.send(conversation, draft('before'), undefined),
      writer.amend({ conversation, message, decide: (old) => ({ ...old, content: 'new' }), socket: undefined }),
      writer.send(conversation, draft('after'), undefined),
    ]);
    expect([before.message.rev, amended.rev, after.message.rev]).toEqual([2, 3, 4]);
    expect(amended).toMatchObject({ seq: 1, content: 'new' });
  });

  it('decides a change again by what another node made of the message', async () => {
    const { store } = createMemoryStore(immediate);
    const [one, other] = [createNode(store), createNode(store)];
    const { message } = await one.writer.send(conversation, draft(''), undefined);
    const append = (letter: string) => ({
      conversation,
      message,
      decide: (old: MessageDocument) => ({ ...old, content: old.content + letter }),
      socket: undefined,
    });
    const amended = await Promise.all([one.writer.amend(append('a')), other.writer.amend(append('b'))]);
    expect(amended.map(({ rev }) => rev).sort()).toEqual([2, 3]);
    expect(amended.find(({ rev }) => rev === 3)!.content).toHaveLength(2);
  });

  it('pins no more messages than may be, however many nodes pin at once', async () => {
    const { store, messages } = createMemoryStore(immediate);
    const nodes = [createNode(store), createNode(store)];
    const sends = range(MOST_PINNED + 20).map((i) => nodes[0]!.writer.send(conversation, draft(`${i}`), undefined));
    const sent = (await Promise.all(sends)).map(({ message }) => message);
    const pins = sent.map((message, i) =>
      nodes[i % 2]!.writer.amend({
        conversation,
        message,
        decide: (old, moment) => withPin(old, ann, true, moment),
        countsPins: true,
        socket: undefined,
      }),
    );
    const settled = await Promise.allSettled(pins);
    const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    expect(refused).toEqual(Array(20).fill('conflict'));
    expect(messages.filter(({ pinned }) => pinned)).toHaveLength(MOST_PINNED);
    expect(messages.every(({ rev, pinned }) => !pinned || pinned.rev === rev)).toBe(true);
  });

  it('stores reactions that arrive while it is busy by one command, and tells of them once', async () => {
    const { store, commands } = createMemoryStore(immediate);
    const { writer, told } = createNode(store);
    const { message } = await writer.send(conversation, draft('x'), undefined);
    const react = (i: number) => ({
      conversation,
      message,
      decide: (old: MessageDocument) => {
        const reactions = withReaction(old.reactions ?? [], '👍', users[i]!);
        return reactions && { ...old, reactions };
      },
      socket: `socket ${i}`,
    });
    const users = range(6).map(() => new ObjectId());
    const first = writer.amend(react(0));
    await immediate();
    const others = range(5).map((i) => writer.amend(react(i)));
    const amended = await Promise.all([first, ...others]);
    expect(amended.map(({ rev }) => rev)).toEqual(range(6).map((i) => i + 1));
    expect(commands).toEqual(['newest', 'insert', 'amend', 'amend']);
    expect(told.slice(1).map(({ rev, first_rev, except_socket }) => [first_rev, rev, except_socket])).toEqual([
      [undefined, 2, 'socket 0'],
      [3, 7, 'socket 5'],
    ]);
    expect(told.at(-1)!.message.reactions).toEqual([{ emoji: '👍', user_ids: users.map((id) => id.toHexString()) }]);
  });

  it('takes no rev and tells nobody where there is nothing to change', async () => {
    const { store } = createMemoryStore(immediate);
    const { writer, told } = createNode(store);
    const { message } = await writer.send(conversation, draft('same'), undefined);
    const amendment = { conversation, message, decide: () => undefined, socket: undefined };
    expect(await writer.amend(amendment)).toEqual(message);
    expect(told).toHaveLength(1);
  });

  it('fails a send whose summary cannot be written, but tells it, and answers the repeat', async () => {
    const { store } = createMemoryStore(immediate);
    let isAway = true;
    const sent = async () => {
      if (isAway) throw new Error('the summary is away');
    };
    const { writer, told, healed } = createNode(store, {
      summaries: { sent, changed: async () => {}, unsent: async () => {} },
    });
    await expect(writer.send(conversation, draft('x', 'c'), 'socket')).rejects.toThrow('the summary is away');
    expect(told).toMatchObject([{ rev: 1, is_new: true }]);
    isAway = false;
    const repeat = await writer.send(conversation, draft('x', 'c'), 'socket');
    expect(repeat).toMatchObject({ duplicate: true, message: { seq: 1 } });
    expect(healed.length).toBeGreaterThan(0);
  });

  it('notes who acts while a message is being stored', async () => {
    const { store } = createMemoryStore(immediate);
    const noted = new Set<string>();
    const actors = {
      note: (_id: string, rev: number, socket: string) => void noted.add(`${rev} ${socket}`),
      forget: (_id: string, rev: number) => void noted.delete(`${rev} socket`),
    };
    const duringInsert: string[][] = [];
    const insert: typeof store.insert = (...args) => {
      duringInsert.push([...noted]);
      return store.insert(...args);
    };
    const { writer } = createNode({ ...store, insert }, { actors });
    await writer.send(conversation, draft('x'), 'socket');
    expect(duringInsert).toEqual([['1 socket']]);
    expect([...noted]).toEqual([]);
  });

  it('asks the sender to come back where other nodes are always first', async () => {
    const { store } = createMemoryStore(immediate);
    const refusal = { code: 11_000 };
    const { writer } = createNode({ ...store, insert: async () => ({ count: 0, refusal }) });
    await expect(writer.send(conversation, draft('x'), undefined)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('acknowledges what an attempt without an answer has stored, and tells it once', async () => {
    const faults: Fault[] = ['tried twice'];
    const { store, messages } = createMemoryStore(immediate, () => faults.shift());
    const { writer, told } = createNode(store);
    const sent = await Promise.all(range(3).map((i) => writer.send(conversation, draft(`${i}`, `${i}`), 'socket')));
    expect(sent.map(({ message, duplicate }) => [message.seq, duplicate])).toEqual(range(3).map((i) => [i, false]));
    expect(messages).toHaveLength(3);
    expect(told.map(({ rev, except_socket }) => [rev, except_socket])).toEqual(range(3).map((i) => [i, 'socket']));
  });

  it('carries nothing out whose turn comes too late for its answer, and goes on with what is not', async () => {
    const { store, messages } = createMemoryStore(immediate);
    const { writer, told } = createNode(store);
    const { message } = await writer.send(conversation, draft('old'), undefined);
    const late = performance.now();
    const inTime = late + 60_000;
    const edit = (content: string, dueAt: number) =>
      writer.amend({ conversation, message, decide: (old) => ({ ...old, content }), socket: undefined, dueAt });
    const outcomes = await Promise.allSettled([
      writer.send(conversation, draft('late'), undefined, late),
      writer.send(conversation, draft('in time'), undefined, inTime),
      edit('late', late),
      edit('in time', inTime),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'unavailable' });
    }
    expect(messages.map(({ content }) => content)).toEqual(['in time', 'in time']);
    expect(told).toHaveLength(3);
  });

  it('stores one of many that follow the same message in slow mode, on whichever node, and asks the store little', async () => {
    const { store, messages, commands } = createMemoryStore(immediate);
    const nodes = [createNode(store), createNode(store)];
    const senders = range(3).map(() => new ObjectId());
    const sends = senders.flatMap((sender_id) =>
      range(60).map((i) =>
        nodes[i % 2]!.writer.send(conversation, { ...draft(`${i}`), sender_id, follows_seq: 0 }, undefined),
      ),
    );
    const outcomes = await Promise.allSettled(sends);
    expect(messages.map(({ sender_id }) => sender_id.toHexString()).sort()).toEqual(
      senders.map((sender) => sender.toHexString()).sort(),
    );
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toHaveLength(3 * 59);
    for (const reason of refused) expect(reason).toBeInstanceOf(Overtaken);
    expect(commands.length).toBeLessThan(16);
  });

  it('is idle when everything has been written', async () => {
    const { store, messages } = createMemoryStore(immediate);
    const { writer } = createNode(store);
    for (const i of range(3)) void writer.send(conversation, draft(`${i}`), undefined);
    await writer.idle();
    expect(messages).toHaveLength(3);
  });
});

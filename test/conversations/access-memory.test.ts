import { describe, expect, it } from 'vitest';
import type { Access } from '../../server/conversations/access.ts';
import { createAccessMemory } from '../../server/conversations/access-memory.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';

const conversation = pairRef('a'.repeat(24), 'b'.repeat(24));
const access = (blocked: boolean): Access => ({ conversation, fromSeq: 0, blocked, peerActive: true, isAdmin: false });

/** A store that knows whether the pair is blocked, counts look-ups, and can be slow. */
function store() {
  const state = { blocked: false, asked: 0, answer: Promise.resolve() };
  return {
    state,
    async find(): Promise<Access> {
      state.asked++;
      const seen = access(state.blocked);
      await state.answer;
      return seen;
    },
  };
}

describe('access memory', () => {
  it('looks up once for each user and conversation', async () => {
    const memory = createAccessMemory();
    const { state, find } = store();
    for (const user of ['one', 'one', 'other', 'one']) await memory.recall(conversation.id, user, find);
    expect(state.asked).toBe(2);
  });

  it('does not cache that there is no access', async () => {
    const memory = createAccessMemory();
    let asked = 0;
    const find = async () => {
      asked++;
      return undefined;
    };
    await memory.recall(conversation.id, 'one', find);
    await memory.recall(conversation.id, 'one', find);
    expect(asked).toBe(2);
  });

  it('forgets when a change begins, and caches nothing until it is done', async () => {
    const memory = createAccessMemory();
    const { state, find } = store();
    const recall = () => memory.recall(conversation.id, 'one', find);
    await recall();
    await memory.changing(conversation.id, async () => {
      expect((await recall())?.blocked).toBe(false);
      state.blocked = true;
      expect((await recall())?.blocked).toBe(true);
    });
    expect((await recall())?.blocked).toBe(true);
  });

  it('does not cache a look-up that began before a change and ended after it', async () => {
    const memory = createAccessMemory();
    const { state, find } = store();
    let answer = () => {};
    state.answer = new Promise((resolve) => {
      answer = resolve;
    });
    const slow = memory.recall(conversation.id, 'one', find);
    await memory.changing(conversation.id, async () => {
      state.blocked = true;
    });
    answer();
    expect((await slow)?.blocked).toBe(false);
    expect((await memory.recall(conversation.id, 'one', find))?.blocked).toBe(true);
  });

  it('goes on caching after a change that failed', async () => {
    const memory = createAccessMemory();
    const { state, find } = store();
    await expect(memory.changing(undefined, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await memory.recall(conversation.id, 'one', find);
    await memory.recall(conversation.id, 'one', find);
    expect(state.asked).toBe(1);
  });
});

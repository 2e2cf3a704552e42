import { describe, expect, it, vi } from 'vitest';
import { type Access, permitsBy } from '../../server/conversations/access.ts';
import { type Company, createLookupCache } from '../../server/conversations/lookup-cache.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';

const conversation = pairRef('a'.repeat(24), 'b'.repeat(24));
const access = (blocked: boolean): Access => ({
  conversation,
  fromSeq: 0,
  blocked,
  peerActive: true,
  isAdmin: false,
  permits: permitsBy(() => true),
  slowModeS: 0,
});

/** A cache, and what it told other nodes. */
function createCache(company: Company = 'alone', told: (string | undefined)[] = []) {
  return createLookupCache({ company: () => company, tellOthers: (topic) => void told.push(topic) });
}

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

describe('the cache of look-ups', () => {
  it('looks up once for each user and conversation', async () => {
    const cache = createCache();
    const { state, find } = store();
    for (const user of ['one', 'one', 'other', 'one']) await cache.recall(conversation.id, user, find);
    expect(state.asked).toBe(2);
  });

  it('does not cache that there is no access', async () => {
    const cache = createCache();
    let asked = 0;
    const find = async () => {
      asked++;
      return undefined;
    };
    await cache.recall(conversation.id, 'one', find);
    await cache.recall(conversation.id, 'one', find);
    expect(asked).toBe(2);
  });

  it('forgets when a change begins, and caches nothing until it is done', async () => {
    const cache = createCache();
    const { state, find } = store();
    const recall = () => cache.recall(conversation.id, 'one', find);
    await recall();
    await cache.changing(conversation.id, async () => {
      expect((await recall())?.blocked).toBe(false);
      state.blocked = true;
      expect((await recall())?.blocked).toBe(true);
    });
    expect((await recall())?.blocked).toBe(true);
  });

  it('does not cache a look-up that began before a change and ended after it', async () => {
    const cache = createCache();
    const { state, find } = store();
    let answer = () => {};
    state.answer = new Promise((resolve) => {
      answer = resolve;
    });
    const slow = cache.recall(conversation.id, 'one', find);
    await cache.changing(conversation.id, async () => {
      state.blocked = true;
    });
    answer();
    expect((await slow)?.blocked).toBe(false);
    expect((await cache.recall(conversation.id, 'one', find))?.blocked).toBe(true);
  });

  it('goes on caching after a change that failed', async () => {
    const cache = createCache();
    const { state, find } = store();
    await expect(cache.changing(undefined, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await cache.recall(conversation.id, 'one', find);
    await cache.recall(conversation.id, 'one', find);
    expect(state.asked).toBe(1);
  });

  it('forgets what another node changed, also what it was looking up', async () => {
    const cache = createCache('linked');
    const { state, find } = store();
    let answer = () => {};
    state.answer = new Promise((resolve) => {
      answer = resolve;
    });
    const slow = cache.recall(conversation.id, 'one', find);
    state.blocked = true;
    cache.forget(conversation.id);
    answer();
    expect((await slow)?.blocked).toBe(false);
    expect((await cache.recall(conversation.id, 'one', find))?.blocked).toBe(true);
    state.blocked = false;
    cache.forget();
    expect((await cache.recall(conversation.id, 'one', find))?.blocked).toBe(false);
  });

  it('tells other nodes of a change when it is done, even if it failed', async () => {
    const told: (string | undefined)[] = [];
    const cache = createCache('linked', told);
    await cache.changing('topic', async () => expect(told).toEqual([]));
    await expect(cache.changing(undefined, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(told).toEqual(['topic', undefined]);
  });

  it.each([
    ['alone', 29_000, 31_000],
    ['linked', 1900, 2100],
  ] as const)('holds an entry for a while: %s', async (company, within, after) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const cache = createCache(company);
      const { state, find } = store();
      const recallAfter = async (ms: number) => {
        vi.advanceTimersByTime(ms);
        await cache.recall(conversation.id, 'one', find);
        return state.asked;
      };
      expect([await recallAfter(0), await recallAfter(within), await recallAfter(after - within)]).toEqual([1, 1, 2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds nothing beside nodes that do not tell what they change', async () => {
    const cache = createCache('unlinked');
    const { state, find } = store();
    await cache.recall(conversation.id, 'one', find);
    await cache.recall(conversation.id, 'one', find);
    expect(state.asked).toBe(2);
  });
});

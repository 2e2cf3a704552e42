import { describe, expect, it } from 'vitest';
import { type BatchOptions, batched } from '../../server/lib/group-commit.ts';

/** A store that answers on demand and notes what it was asked. */
function store(options: BatchOptions<string> = { most: 3 }) {
  const asked: string[][] = [];
  const answers: (() => void)[] = [];
  const ask = batched(
    'test',
    async (keys: readonly string[]) => {
      asked.push([...keys]);
      await new Promise<void>((resolve) => answers.push(resolve));
      return keys.map((key) => (key === 'bad' ? new Error('refused') : `${key}!`));
    },
    options,
  );
  return { ask, asked, answer: () => answers.shift()?.() };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a batch', () => {
  it('carries concurrent requests, and each gets its own answer or error', async () => {
    const { ask, asked, answer } = store();
    const results = Promise.allSettled([ask('a'), ask('bad'), ask('a')]);
    await turn();
    expect(asked).toEqual([['a', 'bad', 'a']]);
    answer();
    expect((await results).map((result) => (result.status === 'fulfilled' ? result.value : 'refused'))).toEqual([
      'a!',
      'refused',
      'a!',
    ]);
  });

  it('gathers while another is under way, and leaves when that one is answered', async () => {
    const { ask, asked, answer } = store();
    const first = ask('a');
    await turn();
    const others = [ask('b')];
    await turn();
    others.push(ask('c'));
    await turn();
    expect(asked).toEqual([['a']]);
    answer();
    expect(await first).toBe('a!');
    await turn();
    expect(asked).toEqual([['a'], ['b', 'c']]);
    answer();
    expect(await Promise.all(others)).toEqual(['b!', 'c!']);
  });

  it('does not wait long for one that hangs', async () => {
    const { ask, asked } = store();
    void ask('hangs');
    await turn();
    void ask('b');
    await expect.poll(() => asked).toEqual([['hangs'], ['b']]);
  });

  it('holds a limited number of keys; the rest follow when it is answered', async () => {
    const { ask, asked, answer } = store();
    const answers = ['a', 'b', 'c', 'd'].map(ask);
    await turn();
    expect(asked).toEqual([['a', 'b', 'c']]);
    answer();
    await turn();
    expect(asked).toEqual([['a', 'b', 'c'], ['d']]);
    answer();
    expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'c!', 'd!']);
  });

  it('leaves beside another when it is full by weight and the options allow it', async () => {
    const { ask, asked } = store({ atOnce: 2, most: 4, weigh: (key) => key.length });
    for (const key of ['aaa', 'bb', 'cc', 'ddd', 'e']) void ask(key);
    await turn();
    expect(asked).toEqual([['aaa'], ['bb', 'cc']]);
  });

  it('may hold a single key that weighs more than the limit', async () => {
    const { ask, asked } = store({ most: 2, weigh: (key) => key.length });
    for (const key of ['aaaaa', 'b']) void ask(key);
    await turn();
    expect(asked).toEqual([['aaaaa']]);
  });
});

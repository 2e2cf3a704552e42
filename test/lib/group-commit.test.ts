import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type BatchOptions, batched } from '../../server/lib/group-commit.ts';

/** A store that answers when it is told to, and notes what it was asked. */
function store(options: BatchOptions<string> = { most: 3 }) {
  const asked: string[][] = [];
  const answers: (() => void)[] = [];
  const ask = batched(async (keys: readonly string[]) => {
    asked.push([...keys]);
    await new Promise<void>((resolve) => answers.push(resolve));
    return keys.map((key) => (key === 'bad' ? new Error('refused') : `${key}!`));
  }, options);
  return { ask, asked, answer: () => answers.shift()?.() };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('what is asked of the store at once', () => {
  it('goes to it as one command, and each gets its own answer or error', async () => {
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

  it('gathers while a command is under way, and leaves when that is answered', async () => {
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

  it('does not wait long for a command that hangs', async () => {
    const { ask, asked } = store();
    void ask('hangs');
    await turn();
    void ask('b');
    await sleep(100);
    expect(asked).toEqual([['hangs'], ['b']]);
  });

  it('goes in several commands when it is too much for one, each when the one before is answered', async () => {
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

  it('goes in full commands at once where that is allowed, measured as they are weighed', async () => {
    const { ask, asked } = store({ atOnce: 2, most: 4, weigh: (key) => key.length });
    for (const key of ['aaa', 'bb', 'cc', 'ddd', 'e']) void ask(key);
    await turn();
    expect(asked).toEqual([['aaa'], ['bb', 'cc']]);
  });

  it('takes a key that is more than a command by itself', async () => {
    const { ask, asked } = store({ most: 2, weigh: (key) => key.length });
    for (const key of ['aaaaa', 'b']) void ask(key);
    await turn();
    expect(asked).toEqual([['aaaaa']]);
  });
});

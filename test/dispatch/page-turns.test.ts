import { expect, it } from 'vitest';
import { createPageTurns } from '../../server/dispatch/page-turns.ts';

/** Work that ends when it is told to. */
function setUp(atOnce: number) {
  const pages = createPageTurns(atOnce);
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const read = (userId: string, page: string) =>
    pages.run(
      userId,
      () =>
        new Promise<string>((resolve, reject) => {
          begun.push(page);
          ends.set(page, (error) => (error ? reject(error) : resolve(page)));
        }),
    );
  return { begun, read, end: (page: string, error?: Error) => ends.get(page)!(error) };
}

const turn = () => new Promise(setImmediate);

it("reads so many pages of a user at once, in order; a user's queue delays nobody else", async () => {
  const { begun, read, end } = setUp(2);
  const results = ['a1', 'a2', 'a3', 'a4'].map((page) => read('a', page));
  const other = read('b', 'b1');
  await turn();
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  end('a2');
  await turn();
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (const page of ['a1', 'a3', 'b1']) end(page);
  await turn();
  end('a4');
  expect(await Promise.all([...results, other])).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
});

it('goes on after a page that fails', async () => {
  const { read, end } = setUp(1);
  const failing = read('a', 'a1');
  const next = read('a', 'a2');
  end('a1', new Error('gone'));
  await expect(failing).rejects.toThrow('gone');
  await turn();
  end('a2');
  expect(await next).toBe('a2');
});

import { expect, it } from 'vitest';
import type { Caller } from '../../server/dispatch/caller.ts';
import { inTurn, type Valid } from '../../server/dispatch/steps.ts';
import { createKeyedQueue } from '../../server/lib/keyed-queue.ts';
import { FULL_PAGE } from '../../shared/contract/define.ts';

/** Pages that end when they are told to. */
function setUp() {
  const paid: number[] = [];
  const pages = {
    turns: createKeyedQueue('test'),
    points: { page: (_id: string, bytes: number) => void paid.push(bytes) },
  };
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const read = (userId: string, page: string, dueAt = Number.POSITIVE_INFINITY) =>
    inTurn(
      command(userId, dueAt),
      pages,
      () =>
        new Promise<string>((resolve, reject) => {
          begun.push(page);
          ends.set(page, (error) => (error ? reject(error) : resolve(page)));
        }),
    );
  return { begun, paid, read, end: (page: string, error?: Error) => ends.get(page)!(error) };
}

/** A command that costs as much as a full page. */
function command(id: string, dueAt: number): Valid {
  const route = { declaration: { cost: FULL_PAGE } } as unknown as Valid['route'];
  return { caller: { id, sessionId: id } as Caller, route, payload: {}, dueAt };
}

const turn = () => new Promise(setImmediate);

it("reads one page of a user at a time, in order; a user's queue delays nobody else", async () => {
  const { begun, paid, read, end } = setUp();
  const results = ['a1', 'a2', 'a3', 'a4'].map((page) => read('a', page));
  const other = read('b', 'b1');
  await turn();
  expect(begun).toEqual(['a1', 'b1']);
  end('a1');
  await turn();
  expect(begun).toEqual(['a1', 'b1', 'a2']);
  for (const page of ['b1', 'a2', 'a3', 'a4']) {
    end(page);
    await turn();
  }
  expect(begun).toEqual(['a1', 'b1', 'a2', 'a3', 'a4']);
  expect(await Promise.all([...results, other])).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
  expect(paid).toHaveLength(5);
});

it('does not read a page whose caller was told that it is not coming', async () => {
  const { begun, read, end } = setUp();
  const first = read('a', 'a1');
  const late = read('a', 'a2', performance.now());
  end('a1');
  await first;
  await expect(late).rejects.toMatchObject({ code: 'unavailable' });
  expect(begun).toEqual(['a1']);
});

it('goes on after a page that fails', async () => {
  const { read, end } = setUp();
  const failing = read('a', 'a1');
  const next = read('a', 'a2');
  end('a1', new Error('gone'));
  await expect(failing).rejects.toThrow('gone');
  await turn();
  end('a2');
  expect(await next).toBe('a2');
});

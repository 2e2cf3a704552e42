import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTieredQueue, type TieredQueueOptions } from '../../server/lib/tiered-queue.ts';

const PLENTY = { name: 'test', mostWaitingPerUser: 1000, mostWaiting: 1000 };
const ONE_AT_A_TIME = { classes: [{ most: 1, mostPerUser: 1 }], ...PLENTY };
const [SMALL, MEDIUM, LARGE] = [0, 1, 2];
const NESTED = {
  classes: [
    { most: 3, mostPerUser: 2 },
    { most: 2, mostPerUser: 1 },
    { most: 1, mostPerUser: 1 },
  ],
  ...PLENTY,
};

interface Task {
  user: string;
  taskClass: number;
  end(): void;
}

/** A queue whose tasks run until they are ended, and are listed from when they begin. */
function observed(options: TieredQueueOptions) {
  const queue = createTieredQueue(options);
  const begun: Task[] = [];
  const running: Task[] = [];
  const run = (user: string, taskClass = SMALL) =>
    queue.run(user, taskClass, async () => {
      await new Promise<void>((resolve) => {
        const task = { user, taskClass, end: resolve };
        begun.push(task);
        running.push(task);
      });
    });
  return {
    run,
    begun,
    running,
    async end(task: Task) {
      running.splice(running.indexOf(task), 1);
      task.end();
      // Until whatever follows has begun.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const begin = () => new Promise((resolve) => setImmediate(resolve));
const usersOf = (tasks: Task[]) => tasks.map(({ user }) => user);

describe('a tiered queue', () => {
  it('takes turns between users, however many tasks one of them has', async () => {
    const queue = observed(ONE_AT_A_TIME);
    for (let i = 0; i < 4; i++) void queue.run('ann');
    for (const user of ['bob', 'cleo', 'bob']) void queue.run(user);
    await begin();
    while (queue.running.length > 0) await queue.end(queue.running[0]!);
    expect(usersOf(queue.begun)).toEqual(['ann', 'bob', 'cleo', 'ann', 'bob', 'ann', 'ann']);
  });

  it('lets nobody wait behind costlier tasks, and leaves room for other users', async () => {
    const queue = observed(NESTED);
    for (let i = 0; i < 3; i++) for (const taskClass of [LARGE, MEDIUM, SMALL]) void queue.run('ann', taskClass);
    await begin();
    expect(queue.running.map(({ taskClass }) => taskClass)).toEqual([LARGE, SMALL]);
    void queue.run('bob', MEDIUM);
    void queue.run('cleo', LARGE);
    await begin();
    expect(usersOf(queue.running)).toEqual(['ann', 'ann', 'bob']);
    // A slot that has become free is cleo's before ann's, as soon as no other large task runs.
    await queue.end(queue.running[0]!);
    expect(queue.running.map(({ user, taskClass }) => [user, taskClass])).toEqual([
      ['ann', SMALL],
      ['bob', MEDIUM],
      ['cleo', LARGE],
    ]);
  });

  it('refuses what would wait too long: rate_limited by a user, unavailable in all', async () => {
    const queue = observed({ ...ONE_AT_A_TIME, mostWaitingPerUser: 2, mostWaiting: 3 });
    for (let i = 0; i < 3; i++) void queue.run('ann');
    await expect(queue.run('ann')).rejects.toMatchObject({ code: 'rate_limited', details: { retry_after_ms: 10_000 } });
    void queue.run('bob');
    await expect(queue.run('cleo')).rejects.toMatchObject({ code: 'unavailable' });
    await begin();
    await queue.end(queue.running[0]!);
    void queue.run('cleo');
    while (queue.running.length > 0) await queue.end(queue.running[0]!);
    expect(usersOf(queue.begun)).toEqual(['ann', 'bob', 'cleo', 'ann', 'ann']);
  });

  it('returns what a task returns, and goes on after one that fails', async () => {
    const queue = createTieredQueue(ONE_AT_A_TIME);
    const failing = queue.run('ann', SMALL, () => Promise.reject(new Error('a task fails')));
    const next = queue.run('ann', SMALL, async () => 'done');
    await expect(failing).rejects.toThrow('a task fails');
    expect(await next).toBe('done');
  });

  it('keeps to its limits and leaves no slot idle that a task may take, whoever comes and whatever ends when', async () => {
    const step = fc.oneof(
      fc.record({ user: fc.constantFrom('ann', 'bob', 'cleo', 'dan'), taskClass: fc.nat({ max: 2 }) }),
      fc.record({ ends: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const queue = observed(NESTED);
        const asked: { user: string; taskClass: number }[] = [];
        for (const next of steps) {
          if ('user' in next) {
            asked.push(next);
            void queue.run(next.user, next.taskClass);
            await begin();
          } else if (queue.running.length > 0) await queue.end(queue.running[next.ends % queue.running.length]!);
          const fits = (tasks: Omit<Task, 'end'>[]) =>
            NESTED.classes.every(({ most, mostPerUser }, least) => {
              const counted = usersOf(tasks.filter(({ taskClass }) => taskClass >= least) as Task[]);
              return (
                counted.length <= most &&
                counted.every((user) => counted.filter((u) => u === user).length <= mostPerUser)
              );
            });
          expect(fits(queue.running)).toBe(true);
          const waiting = [...asked];
          for (const { user, taskClass } of queue.begun) {
            waiting.splice(
              waiting.findIndex((task) => task.user === user && task.taskClass === taskClass),
              1,
            );
          }
          expect(waiting.filter((task) => fits([...queue.running, task]))).toEqual([]);
        }
        while (queue.running.length > 0) await queue.end(queue.running[0]!);
        expect(queue.begun).toHaveLength(asked.length);
      }),
      { numRuns: 100 },
    );
  });
});

import { expect, it, vi } from 'vitest';
import { createCatchUp } from '../../shared/client/catch-up.ts';
import { ClientError, connectionLost } from '../../shared/client/errors.ts';
import type { CommandData } from '../../shared/contract/index.ts';

const PAGE: CommandData<'sync'> = {
  conversations: [],
  gone: [],
  calls: [],
  has_more: false,
  server_time: '2026-01-01T00:00:00.000Z',
};
const later = new ClientError({ code: 'rate_limited', message: 'too many', details: { retry_after_ms: 20 } });

function setUp(answers: (CommandData<'sync'> | Error)[]) {
  const asked: (string | undefined)[] = [];
  const call = vi.fn(async (_name: string, { cursor }: { cursor?: string }) => {
    asked.push(cursor);
    const answer = answers.shift();
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  });
  const pages: CommandData<'sync'>[] = [];
  const options = { connection: { call: call as never }, revs: {}, onMessage: () => {} };
  return { call, asked, pages, catchUp: createCatchUp({ ...options, onPage: (page) => pages.push(page) }) };
}

it('goes on with the same page when the server asked to wait', async () => {
  const { asked, pages, catchUp } = setUp([{ ...PAGE, cursor: 'second' }, later, later, PAGE]);
  await catchUp.sync();
  expect(pages).toHaveLength(2);
  expect(asked).toEqual([undefined, 'second', 'second', 'second']);
});

it('fails with what is no matter of time', async () => {
  const { catchUp } = setUp([connectionLost()]);
  await expect(catchUp.sync()).rejects.toMatchObject({ code: 'unavailable' });
});

it('gives way to a later catching up while it waits', async () => {
  const { call, pages, catchUp } = setUp([later, PAGE]);
  const first = catchUp.sync();
  await vi.waitFor(() => expect(call).toHaveBeenCalledTimes(1));
  await catchUp.sync();
  await first;
  expect(pages).toEqual([PAGE]);
});

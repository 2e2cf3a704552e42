import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTypists, type Typist } from '../../server/messages/typists.ts';
import { groupRef, pairRef } from '../../server/model/conversation-ref.ts';

const [ANN, BOB, EVE] = ['a', 'b', 'e'].map((letter) => letter.repeat(24)) as [string, string, string];
const pair = pairRef(ANN, BOB);
const group = groupRef('1'.repeat(24));

/** Typists on a bus that notes what it is told. */
function scene() {
  const told: { to: object; is_typing: boolean; except: string[] | undefined }[] = [];
  const isBlocked = vi.fn(async (_one: string, _other: string) => false);
  const typists = createTypists({
    bus: {
      emit: (to, _event, payload, except) =>
        void told.push({ to, is_typing: (payload as { is_typing: boolean }).is_typing, except: except?.users }),
    },
    access: { isBlocked },
  });
  const ann = (over: Partial<Typist> = {}) =>
    typists.start({ userId: ANN, conversation: pair, socketId: 'phone', hiddenFrom: [], ...over });
  return { typists, told, isBlocked, ann, states: () => told.map(({ is_typing }) => is_typing) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a start and its stop are told to the other of a pair; a stop without a start is not', () => {
  const { typists, told, ann } = scene();
  typists.stop(ANN, pair.id);
  ann();
  typists.stop(ANN, pair.id);
  typists.stop(ANN, pair.id);
  expect(told).toEqual([
    { to: { users: [BOB] }, is_typing: true, except: [ANN] },
    { to: { users: [BOB] }, is_typing: false, except: [ANN] },
  ]);
});

it('in a group it is told to all but the typist and those from whom it is hidden', () => {
  const { told, ann } = scene();
  ann({ conversation: group, hiddenFrom: [EVE] });
  expect(told).toEqual([{ to: { group: group.id }, is_typing: true, except: [ANN, EVE] }]);
});

it('ends when the typist leaves the conversation, and is not told again', async () => {
  const { typists, ann, states } = scene();
  ann({ conversation: group });
  typists.left(ANN, group.id);
  typists.left(ANN, group.id);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(states()).toEqual([true, false]);
});

it('ends by itself 6 s after the last start', async () => {
  const { ann, states } = scene();
  ann();
  await vi.advanceTimersByTimeAsync(2500);
  ann();
  await vi.advanceTimersByTimeAsync(5999);
  expect(states()).toEqual([true]);
  await vi.advanceTimersByTimeAsync(1);
  expect(states()).toEqual([true, false]);
  await vi.runAllTimersAsync();
  expect(states()).toEqual([true, false]);
});

it('a repeated start is told again after 3 s, and after a stop', async () => {
  const { typists, ann, states } = scene();
  ann();
  await vi.advanceTimersByTimeAsync(2999);
  ann();
  expect(states()).toEqual([true]);
  await vi.advanceTimersByTimeAsync(1);
  ann();
  expect(states()).toEqual([true, true]);
  typists.stop(ANN, pair.id);
  ann();
  expect(states()).toEqual([true, true, false, true]);
});

it('the end reaches whoever saw the start, even if it has become hidden from them since', () => {
  const { typists, told, ann } = scene();
  ann({ conversation: group });
  ann({ conversation: group, hiddenFrom: [EVE] });
  typists.stop(ANN, group.id);
  expect(told.map(({ except }) => except)).toEqual([[ANN], [ANN]]);
});

describe('a device that is gone', () => {
  it('ends what was typed on it, and nothing else', async () => {
    const { typists, told, ann } = scene();
    ann();
    ann({ conversation: group });
    ann({ userId: BOB, socketId: 'tablet' });
    ann({ userId: EVE, conversation: group, socketId: undefined });
    told.length = 0;
    typists.disconnected('phone');
    await vi.advanceTimersByTimeAsync(0);
    expect(told.map(({ to, is_typing }) => ({ to, is_typing }))).toEqual(
      expect.arrayContaining([
        { to: { users: [BOB] }, is_typing: false },
        { to: { group: group.id }, is_typing: false },
      ]),
    );
    expect(told).toHaveLength(2);
  });

  it('ends nothing that was taken over by another device', async () => {
    const { typists, ann, states } = scene();
    ann();
    ann({ socketId: 'tablet' });
    typists.disconnected('phone');
    await vi.advanceTimersByTimeAsync(0);
    expect(states()).toEqual([true]);
  });
});

describe('after a block between the two', () => {
  it.each(['expires', 'disconnects', 'cannot be checked'])('no end is told: the typist %s', async (how) => {
    const { typists, isBlocked, ann, states } = scene();
    ann();
    if (how === 'cannot be checked') isBlocked.mockRejectedValue(new Error('the store is away'));
    else isBlocked.mockResolvedValue(true);
    if (how === 'disconnects') typists.disconnected('phone');
    await vi.runAllTimersAsync();
    expect(isBlocked).toHaveBeenCalledWith(ANN, BOB);
    expect(states()).toEqual([true]);
  });
});

it('nothing is told after closing', async () => {
  const { typists, ann, states } = scene();
  ann();
  typists.close();
  await vi.runAllTimersAsync();
  expect(states()).toEqual([true]);
  expect(vi.getTimerCount()).toBe(0);
});

import { describe, expect, it } from 'vitest';
import { createVisibility, isVisible, visibleSeqs, visibleWithin } from '../../server/conversations/visibility.ts';

describe('a member sees', () => {
  it('what came after joining, and nothing while still joining', () => {
    const visibility = createVisibility(false);
    expect(visibility.fromSeq({ from_seq: 7 })).toBe(7);
    expect(isVisible({ seq: 1_000_000 }, visibility.fromSeq(undefined))).toBe(false);
  });

  it('everything where the whole history is open', () => {
    const visibility = createVisibility(true);
    expect(visibility.fromSeq({ from_seq: 7 })).toBe(0);
    expect(visibility.fromSeq(undefined)).toBe(0);
  });

  it('messages above the bound only', () => {
    expect([6, 7, 8].map((seq) => isVisible({ seq }, 7))).toEqual([false, false, true]);
  });
});

describe('bounds of a query', () => {
  it.each([
    [0, {}, { $gt: 0 }],
    [7, {}, { $gt: 7 }],
    [7, { after_seq: 3 }, { $gt: 7 }],
    [7, { after_seq: 9 }, { $gt: 9 }],
    [7, { before_seq: 9 }, { $gt: 7, $lt: 9 }],
    [7, { before_seq: 0 }, { $gt: 7, $lt: 0 }],
  ])('above %i, page %j: %j', (fromSeq, page, bounds) => {
    expect(visibleSeqs(fromSeq, page)).toEqual(bounds);
  });

  it('over several conversations need a condition only where one is visible in part', () => {
    const whole = { id: 'whole', kind: 'group', fromSeq: 0 } as const;
    const partial = { id: 'partial', kind: 'group', fromSeq: 7 } as const;
    expect(visibleWithin([whole])).toEqual([]);
    expect(visibleWithin([whole, partial])).toEqual([
      { $or: [{ conversation_id: { $nin: ['partial'] } }, { conversation_id: 'partial', seq: { $gt: 7 } }] },
    ]);
  });
});

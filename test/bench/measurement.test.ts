import { describe, expect, test } from 'vitest';
import { alone, compared, isMet, median, percentile, type Row } from './measurement.ts';

describe('percentile', () => {
  test('is a value that occurs, by nearest rank', () => {
    expect(percentile([5, 1, 3], 0.5)).toBe(3);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(percentile([1, 2, 3, 4], 0.99)).toBe(4);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('leaves the values in their order', () => {
    const values = [3, 1, 2];
    expect(median(values)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('rounds', () => {
  test('the ratio is the median of the ratios, not the ratio of the medians', () => {
    const rounds = [
      { against: 100, measured: 10 },
      { against: 10, measured: 5 },
      { against: 50, measured: 10 },
    ];
    expect(compared(rounds)).toEqual({ measured: 10, against: 50, ratio: 0.2, spread: [0.1, 0.5] });
  });

  test('what is compared with nothing has a median only', () => {
    expect(alone([3, 9, 4])).toEqual({ measured: 4 });
  });
});

describe('a target', () => {
  const row = (target?: Row['target']): Row => ({ what: '', unit: '', ...(target ? { target } : {}) });

  test('is of the ratio or of the figure itself, met also when just reached', () => {
    const found = { measured: 30, ratio: 0.3 };
    expect(isMet(row({ of: 'ratio', atLeast: 0.3 }), found)).toBe(true);
    expect(isMet(row({ of: 'ratio', atLeast: 0.31 }), found)).toBe(false);
    expect(isMet(row({ of: 'measured', atMost: 30 }), found)).toBe(true);
    expect(isMet(row({ of: 'measured', atMost: 29 }), found)).toBe(false);
    expect(isMet(row(), found)).toBeUndefined();
  });

  test('is missed by what could not be measured', () => {
    expect(isMet(row({ of: 'ratio', atMost: 1 }), { measured: 1 })).toBe(false);
    expect(isMet(row({ of: 'measured', atMost: 1 }), { measured: Number.NaN })).toBe(false);
  });
});

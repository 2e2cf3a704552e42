import { expect, it } from 'vitest';
import { allMeasures, counters, gauges, histograms } from '../../server/lib/measures.ts';

const read = (name: string) =>
  allMeasures()
    .find((measure) => measure.name === name)!
    .read()
    .map(({ labels, value, suffix = '' }) => [`${Object.values(labels).join(' ')}${suffix}`, value]);

it('a counter and a gauge have one value for each set of labels', () => {
  const counted = counters('test_counted_total', 'for the test', ['one', 'other']);
  counted('a', 'b').add();
  counted('a', 'b').add(2);
  counted('a', 'c').add();
  expect(read('test_counted_total')).toEqual([
    ['a b', 3],
    ['a c', 1],
  ]);
  const level = gauges('test_level', 'for the test')();
  level.add(5);
  level.add(-2);
  expect(read('test_level')).toEqual([['', 3]]);
});

it('a histogram counts what is at most each bound, and all, and sums it up', () => {
  const sizes = histograms('test_sizes', 'for the test', ['of'], [1, 10]);
  for (const size of [1, 2, 10, 11, 0]) sizes('x').observe(size);
  expect(read('test_sizes')).toEqual([
    ['x 1_bucket', 2],
    ['x 10_bucket', 4],
    ['x +Inf_bucket', 5],
    ['x_sum', 24],
    ['x_count', 5],
  ]);
});

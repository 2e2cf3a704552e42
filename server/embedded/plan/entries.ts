import { keyAfter, type Range } from '../storage/range.ts';
import type { Entry, Storage } from '../storage/storage.ts';
import { completeKey } from '../values/key-encoding.ts';
import type { IndexPlan } from './plan.ts';

/** Entries are read in portions, which grow. Nothing stays open in between, so a scan may pause while its cursor lives. */
export const FIRST_PORTION = 64;
const LARGEST_PORTION = 1024;

/**
 * The index entries that a plan looks at, in its order.
 * @param first how many entries to read at first
 * @param checkAlive called before each further portion; may throw
 */
export function planEntries(storage: Storage, plan: IndexPlan, first: number, checkAlive: () => void): Iterable<Entry> {
  if (plan.isOne) return onlyEntry(storage, plan);
  const scans = plan.ranges.map((range) => rangeEntries(storage, range, plan.isReverse, first, checkAlive));
  if (scans.length === 1) return scans[0]!;
  if (plan.isMerged) return merged(scans, plan.orderedFrom, plan.isReverse);
  return concatenated(plan.isReverse ? scans.toReversed() : scans);
}

/** The entry of a plan that finds at most one, by its whole key. */
function onlyEntry(storage: Storage, { ranges: [range] }: IndexPlan): Entry[] {
  const key = completeKey(range!.low);
  const value = storage.get(key);
  return value === undefined ? [] : [{ key, value }];
}

function* rangeEntries(
  storage: Storage,
  range: Range,
  isReverse: boolean,
  first: number,
  checkAlive: () => void,
): Generator<Entry> {
  let { low, high } = range;
  for (let portion = first; ; portion = Math.min(portion * 2, LARGEST_PORTION)) {
    const entries = storage.read({ low, high }, isReverse, portion);
    yield* entries;
    if (entries.length < portion) return;
    checkAlive();
    const last = entries[entries.length - 1]!.key;
    if (isReverse) high = last;
    else low = keyAfter(last);
  }
}

/** Merges ordered scans. Keys are compared from an offset on, which differs from scan to scan. */
function* merged(scans: Generator<Entry>[], from: number[], isReverse: boolean): Generator<Entry> {
  const sign = isReverse ? -1 : 1;
  const heads = scans.flatMap((scan, at) => {
    const next = scan.next();
    return next.done ? [] : [{ scan, entry: next.value, from: from[at]! }];
  });
  const order = (a: (typeof heads)[number], b: (typeof heads)[number]) =>
    sign * a.entry.key.compare(b.entry.key, b.from, b.entry.key.length, a.from, a.entry.key.length);
  while (heads.length > 0) {
    let first = heads[0]!;
    for (const head of heads) if (order(head, first) < 0) first = head;
    yield first.entry;
    const next = first.scan.next();
    if (next.done) heads.splice(heads.indexOf(first), 1);
    else first.entry = next.value;
  }
}

function* concatenated(scans: Iterable<Entry>[]): Generator<Entry> {
  for (const scan of scans) yield* scan;
}

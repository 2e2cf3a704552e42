import type { Collection } from './catalog.ts';
import { Fault } from './errors.ts';
import { completeKey } from './keys.ts';
import type { IndexPlan, Plan } from './planner.ts';
import type { SortSpec } from './sort.ts';
import { sortItems } from './sort.ts';
import type { Entry, Range, Storage } from './storage.ts';
import type { Doc } from './values.ts';
import { decode } from './values.ts';

/** A found document: as it is stored, and decoded if something has already needed that. */
export interface Found {
  raw: Uint8Array;
  doc: Doc | undefined;
}

/** A count that begins. */
export function nothingExamined(): Examined {
  return { keys: 0, docs: 0, limit: Infinity };
}

/** The document of what was found, decoded once. */
export function docOf(found: Found): Doc {
  found.doc ??= decode(found.raw);
  return found.doc;
}

/** What a query has looked at, for `explain`; and how many entries it may look at before it ends unfinished. */
export interface Examined {
  keys: number;
  docs: number;
  limit: number;
}

/** Reads in portions, so that nothing stays open between them: a scan may pause for as long as its cursor lives. */
const FIRST_PORTION = 64;
const LARGEST_PORTION = 1024;

function* entriesOf(
  storage: Storage,
  range: Range,
  reverse: boolean,
  first: number,
  alive: () => void,
): Generator<Entry> {
  let { low, high } = range;
  for (let portion = first; ; portion = Math.min(portion * 2, LARGEST_PORTION)) {
    const entries = storage.read({ low, high }, reverse, portion);
    yield* entries;
    if (entries.length < portion) return;
    alive();
    const last = entries[entries.length - 1]!.key;
    if (reverse) high = last;
    else low = Buffer.concat([last, Buffer.of(0)]);
  }
}

/** Several ordered scans as one, by the keys' bytes from each scan's own place on. */
function* merged(scans: Generator<Entry>[], from: number[], reverse: boolean): Generator<Entry> {
  const sign = reverse ? -1 : 1;
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

/** The entry of a plan that finds one at most, by its whole key. */
function onlyEntry(storage: Storage, { ranges: [range] }: IndexPlan): Entry[] {
  const key = completeKey(range!.low);
  const value = storage.get(key);
  return value === undefined ? [] : [{ key, value }];
}

function planEntries(storage: Storage, plan: IndexPlan, first: number, alive: () => void): Iterable<Entry> {
  if (plan.isOne) return onlyEntry(storage, plan);
  const scans = plan.ranges.map((range) => entriesOf(storage, range, plan.reverse, first, alive));
  if (scans.length === 1) return scans[0]!;
  if (plan.merges) return merged(scans, plan.orderedFrom, plan.reverse);
  return concat(plan.reverse ? scans.toReversed() : scans);
}

function* concat(scans: Iterable<Entry>[]): Generator<Entry> {
  for (const scan of scans) yield* scan;
}

/** What an index scan finds, each document once, tested by what the index does not answer. */
function* found(
  storage: Storage,
  collection: Collection,
  plan: IndexPlan,
  seen: Set<string> | undefined,
  first: number,
  examined: Examined,
  alive: () => void,
): Generator<Found> {
  const { prefix } = collection.primary;
  for (const { key, value } of planEntries(storage, plan, first, alive)) {
    examined.keys++;
    if (examined.keys > examined.limit) return;
    const id = plan.index.primary ? key.subarray(prefix.length) : value;
    if (seen !== undefined) {
      const text = id.toString('latin1');
      if (seen.has(text)) continue;
      seen.add(text);
    }
    const raw = plan.index.primary ? value : storage.get(Buffer.concat([prefix, id]));
    // Gone between two portions of the scan.
    if (raw === undefined) continue;
    examined.docs++;
    const item: Found = { raw, doc: undefined };
    if (plan.residual === undefined || plan.residual.test(docOf(item))) yield item;
  }
}

/**
 * Runs a plan lazily: nothing is read before it is asked for, except for an order that no index gives, which is made
 * in memory of at most `wanted` documents (skip and limit together). `alive` is asked at each further portion and may
 * throw, if the collection is gone.
 */
export function* runPlan(
  storage: Storage,
  collection: Collection,
  plan: Plan,
  sort: SortSpec | undefined,
  wanted: number,
  examined: Examined,
  alive: () => void,
): Generator<Found> {
  const inOrder = sort === undefined || plan.sorted;
  const first = inOrder ? Math.min(Math.max(wanted, 1), FIRST_PORTION) : FIRST_PORTION;
  const items =
    plan.kind === 'union' ? union() : found(storage, collection, plan, seenBy(plan), first, examined, alive);
  if (inOrder) yield* items;
  else yield* sortItems(items, docOf, sort, wanted);

  function* union(): Generator<Found> {
    const seen = new Set<string>();
    for (const branch of (plan as { branches: IndexPlan[] }).branches) {
      yield* found(storage, collection, branch, seen, first, examined, alive);
    }
  }
}

function seenBy(plan: IndexPlan): Set<string> | undefined {
  return plan.index.multikey.includes(true) ? new Set() : undefined;
}

/** How many documents match, from the index alone if it answers the whole filter; undefined if it does not. */
export function countByIndex(storage: Storage, plan: Plan): number | undefined {
  if (plan.kind === 'union' || plan.residual !== undefined || seenBy(plan) !== undefined) return undefined;
  return plan.ranges.reduce((sum, range) => sum + storage.count(range), 0);
}

/** The fault of a scan whose collection or index is gone. */
export function planKilled(namespace: string): Fault {
  return new Fault(175, `collection dropped or its indexes changed during the query: ${namespace}`);
}

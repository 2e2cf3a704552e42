/**
 * Carries documents over while both sides are in use: the source by servers, the target by nobody else. Each part is
 * read from the source, then made the same in the target; what changes meanwhile is noted by the source, and carried
 * over again once that part is written. Never both at once: so nothing older is written over something newer.
 */
import { BSON, type Db } from 'mongodb';
import { groupBy } from '../lib/group-by.ts';
import { type MoveMark, moveMark } from '../model/move-mark.ts';
import type { Movable } from '../tool-store.ts';
import { type AnyCollection, EXACT, type Exact, findAll, type Id } from './documents.ts';
import { type Expiry, expiriesOf } from './expiry.ts';
import { reconcile } from './reconcile.ts';

/** How large a part may be, in documents and in bytes. */
const MOST_DOCUMENTS = 1000;
const MOST_BYTES = 4 * 1024 * 1024;
const FIRST_DOCUMENTS = 50;
/** How many changed documents are carried over at once: their sizes are not known before. */
const CHANGED_DOCUMENTS = 100;
/** The code for notes that are not there any more. */
const NOT_KNOWN = 43;
/** How often what has changed is carried over while much is copied, in milliseconds. */
const CHANGES_EVERY_MS = 1000;
const SAID_EVERY_MS = 10_000;

export interface CarrierOptions {
  source: Db;
  target: Db;
  movable: Pick<Movable, 'changes'>;
  /** How far an earlier run came; kept up to date in the target. */
  mark: MoveMark;
  /** Told how far it is, now and then. */
  say(line: string): void;
}

interface Pair {
  source: AnyCollection;
  target: AnyCollection;
  expiries: Expiry[];
}

export interface Carrier {
  /** The collections of the source, with their indexes made in the target. */
  collections(): Promise<string[]>;
  /** Copies a collection, from where an earlier run stopped. */
  copy(name: string): Promise<void>;
  /** Carries over what has changed, a portion of it. @returns how many documents had changed; 0: no more had */
  changes(): Promise<number>;
  expiriesOf(name: string): Promise<Expiry[]>;
  /** Has the next run compare everything. */
  distrust(): Promise<void>;
  /** The documents that still wait for others. */
  deferred(): MoveMark['deferred'];
}

export function createCarrier({ source, target, movable, mark, say }: CarrierOptions): Carrier {
  const pairs = new Map<string, Promise<Pair>>();
  /** Up to which note changes were carried over. */
  let carried = 0;
  let changesAt = performance.now();
  let saidAt = changesAt;

  function sayNowAndThen(line: string): void {
    if (performance.now() - saidAt < SAID_EVERY_MS) return;
    saidAt = performance.now();
    say(line);
  }

  function pairOf(name: string): Promise<Pair> {
    const known = pairs.get(name) ?? openPair(source, target, name);
    pairs.set(name, known);
    return known;
  }

  async function save(): Promise<void> {
    const { at, copied, deferred, tracker } = mark;
    await moveMark(target).updateOne({ _id: 'move' }, { $set: { at, copied, deferred, tracker } });
  }

  function defer(collection: string, ids: Id[]): void {
    mark.deferred.push(...ids.map((id) => ({ collection, id })));
  }

  async function changes(): Promise<number> {
    const noted = await movable.changes(mark.tracker, carried).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== NOT_KNOWN) throw error;
      throw new Error('not all is noted that has changed: run this again, which compares everything then');
    });
    const own = noted.changes
      .filter(({ namespace }) => namespace.startsWith(`${source.databaseName}.`))
      .map(({ namespace, id }) => ({ collection: namespace.slice(source.databaseName.length + 1), id }));
    const all = [...mark.deferred, ...own];
    mark.deferred = [];
    for (const [collection, documents] of groupBy(all, (one) => one.collection)) {
      const { source: from, target: to, expiries } = await pairOf(collection);
      for (let i = 0; i < documents.length; i += CHANGED_DOCUMENTS) {
        const ids = documents.slice(i, i + CHANGED_DOCUMENTS).map(({ id }) => id as Id);
        const wanted = await findAll(from, ids);
        defer(collection, await reconcile({ target: to, expiries, wanted, read: () => findAll(to, ids) }));
      }
    }
    if (all.length > 0) await save();
    carried = noted.upTo;
    changesAt = performance.now();
    return own.length;
  }

  return {
    async collections() {
      const listed = await source.listCollections({}, { nameOnly: true }).toArray();
      const names = listed.map(({ name }) => name).sort();
      for (const name of names) await pairOf(name);
      return names;
    },
    async copy(name) {
      if (mark.copied.includes(name)) return;
      const { source: from, target: to, expiries } = await pairOf(name);
      for (let limit = FIRST_DOCUMENTS, count = 0; ; ) {
        const above = mark.at?.collection === name ? { $gt: mark.at.id } : {};
        const options = { ...EXACT, sort: { _id: 1 }, limit, batchSize: limit + 1 } as const;
        const wanted = (await from.find(filterOf(above), options).toArray()) as Exact[];
        const isLast = wanted.length < limit;
        const range = filterOf(isLast ? above : { ...above, $lte: wanted.at(-1)!._id });
        const read = () => to.find(range, { ...EXACT, batchSize: MOST_DOCUMENTS }).toArray() as Promise<Exact[]>;
        defer(name, await reconcile({ target: to, expiries, wanted, read }));
        mark.at = isLast ? null : { collection: name, id: wanted.at(-1)!._id };
        if (isLast) mark.copied.push(name);
        await save();
        if (performance.now() - changesAt > CHANGES_EVERY_MS) await changes();
        if (isLast) return;
        count += wanted.length;
        sayNowAndThen(`${name}: ${count} documents until now`);
        limit = nextLimit(wanted);
      }
    },
    changes,
    expiriesOf: async (name) => (await pairOf(name)).expiries,
    async distrust() {
      mark.tracker = '';
      await save();
    },
    deferred: () => mark.deferred,
  };
}

/** Opens both sides of a collection. Indexes that a server does not install, as of the operator's own, come along. */
async function openPair(source: Db, target: Db, name: string): Promise<Pair> {
  const [from, to] = [source.collection<Exact>(name), target.collection<Exact>(name)];
  const indexes = await from.indexes();
  const there = new Set((await to.indexes().catch(() => [])).map((index) => index.name));
  const missing = indexes.filter((index) => index.name !== '_id_' && !there.has(index.name));
  if (missing.length > 0) await to.createIndexes(missing.map(({ v: _, ...index }) => index as never));
  return { source: from, target: to, expiries: expiriesOf(indexes) };
}

const filterOf = (range: object) => (Object.keys(range).length === 0 ? {} : { _id: range as never });

/** As many documents as will be large enough together. */
function nextLimit(documents: Exact[]): number {
  const bytes = documents.reduce((sum, document) => sum + BSON.calculateObjectSize(document), 0);
  return Math.max(1, Math.min(MOST_DOCUMENTS, Math.floor((MOST_BYTES / Math.max(bytes, 1)) * documents.length)));
}

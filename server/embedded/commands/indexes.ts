import type { Collection, Index } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import { keyAfter, under } from '../storage/range.ts';
import { display } from '../values/display.ts';
import { type Doc, decode, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int } from '../values/numbers.ts';
import { listReply } from './batch-reply.ts';
import { type Command, existing, targetOf } from './command.ts';
import { indexSpec } from './index-spec.ts';
import { indexExists, isSameKey } from './same-index.ts';

export const createIndexes: Command = {
  fields: ['indexes'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { indexes } = request.body;
    if (!Array.isArray(indexes) || indexes.length === 0) {
      throw new Fault(2, 'Must specify at least one index to create');
    }
    const specs = indexes.map((spec) => indexSpec(isDoc(spec) ? spec : {}));
    const found = engine.catalog.find(namespace);
    // Nothing to write: a start on a full disk gets this far.
    if (found && specs.every((spec) => indexExists(found.indexes, spec))) {
      return createdReply(found.indexes.length, found.indexes.length, false);
    }
    return engine.write(() => {
      const createdCollectionAutomatically = engine.catalog.find(namespace) === undefined;
      let collection = engine.ensure(namespace);
      const before = collection.indexes.length;
      for (const spec of specs) {
        if (indexExists(collection.indexes, spec)) continue;
        const documents = documentsOf(engine, collection);
        collection = engine.records.buildIndex(collection, engine.catalog.newIndex(spec), documents);
      }
      return createdReply(before, collection.indexes.length, createdCollectionAutomatically);
    });
  },
};

function createdReply(before: number, after: number, createdCollectionAutomatically: boolean): Doc {
  return {
    numIndexesBefore: int(before),
    numIndexesAfter: int(after),
    createdCollectionAutomatically,
    ...(before === after ? { note: 'all indexes already exist' } : {}),
  };
}

/** How many documents are read at once to build an index. */
const PORTION = 1000;

function* documentsOf(engine: Engine, { primary }: Collection): Generator<Doc> {
  let { low, high } = under(primary.prefix);
  for (;;) {
    const entries = engine.storage.read({ low, high }, false, PORTION);
    for (const { value } of entries) yield decode(value);
    if (entries.length < PORTION) return;
    low = keyAfter(entries[entries.length - 1]!.key);
  }
}

export const listIndexes: Command = {
  fields: ['cursor'],
  run: (engine, request) => {
    const { namespace, indexes } = existing(engine, request);
    const specs = indexes.map(({ spec }) => spec);
    return listReply(engine, namespace, specs, request.body);
  },
};

export const dropIndexes: Command = {
  fields: ['index'],
  run: (engine, request) =>
    engine.write(() => {
      let collection = existing(engine, request);
      const before = collection.indexes.length;
      for (const index of indexesToDrop(collection, request.body.index)) {
        collection = engine.catalog.dropIndex(collection, index);
      }
      return { nIndexesWas: int(before) };
    }),
};

/** @param wanted `*`, a name, a key, or an array of names */
function indexesToDrop({ indexes }: Collection, wanted: unknown): Index[] {
  if (wanted === '*') return indexes.slice(1);
  return (Array.isArray(wanted) ? wanted : [wanted]).map((each) => {
    const found = indexes.find(({ name, spec }) => (isDoc(each) ? isSameKey(spec.key as Doc, each) : name === each));
    if (found === undefined) {
      const reason = isDoc(each)
        ? `can't find index with key: ${display(each)}`
        : `index not found with name [${String(each)}]`;
      throw new Fault(27, reason);
    }
    if (found.primary) throw new Fault(72, 'cannot drop _id index');
    return found;
  });
}

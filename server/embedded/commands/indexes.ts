import type { Collection, Index } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import { compileFilter } from '../match.ts';
import { int } from '../reply.ts';
import { under } from '../storage.ts';
import type { Doc } from '../values.ts';
import { decode, display, isDoc, isNumber, isTruthy, toNumber, typeName } from '../values.ts';
import type { Command } from './command.ts';
import { batchOf, existing, targetOf } from './command.ts';

const indexOptions = [
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
];

/** An index specification as it is stored, checked. */
function specOf(given: Doc): Doc {
  const { key, name } = given;
  if (!isDoc(key) || Object.keys(key).length === 0) throw new Fault(67, 'Index keys cannot be empty.');
  if (typeof name !== 'string' || name === '')
    throw new Fault(9, "The 'name' field is a required property of an index specification");
  const unknown = Object.keys(given).find((option) => !indexOptions.includes(option));
  if (unknown !== undefined)
    throw new Fault(
      197,
      `The field '${unknown}' is not valid for an index specification. Specification: ${display(given)}`,
    );
  for (const [path, direction] of Object.entries(key)) {
    if (!isNumber(direction)) throw new Fault(67, `Unknown index plugin '${String(direction)}'`);
    if (toNumber(direction) === 0) throw new Fault(67, 'Values in the index key pattern cannot be 0.');
    if (path === '' || path.startsWith('$') || path.split('.').includes(''))
      throw new Fault(67, `Index key contains an illegal field name: '${path}'`);
  }
  const { partialFilterExpression: partial, expireAfterSeconds: expire } = given;
  if (partial !== undefined) checkPartial(partial, given);
  if (expire !== undefined) {
    if (!isNumber(expire) || toNumber(expire) < 0)
      throw new Fault(
        67,
        `TTL index 'expireAfterSeconds' option must be within an acceptable range: ${display(expire)}`,
      );
    if (Object.keys(key).length > 1)
      throw new Fault(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL.');
  }
  return {
    v: int(2),
    key,
    name,
    ...(isTruthy(given.unique) ? { unique: true } : {}),
    ...(isTruthy(given.sparse) ? { sparse: true } : {}),
    ...(partial === undefined ? {} : { partialFilterExpression: partial }),
    ...(expire === undefined ? {} : { expireAfterSeconds: expire }),
  };
}

function checkPartial(partial: unknown, given: Doc): void {
  if (!isDoc(partial))
    throw new Fault(
      14,
      `The field 'partialFilterExpression' is the wrong type '${typeName(partial)}', expected type 'object'`,
    );
  if (isTruthy(given.sparse)) throw new Fault(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  const filter = compileFilter(partial);
  const refused = filter.conditions.find(
    ({ op, operand }) => op === 'other' || op === '$regex' || (op === '$exists' && !isTruthy(operand)),
  );
  if (refused !== undefined) throw new Fault(67, `unsupported expression in partial index: ${display(partial)}`);
}

function numbersAlike(key: Doc): string {
  return Object.entries(key)
    .map(([path, direction]) => `${path}:${toNumber(direction)}`)
    .join();
}

/** Whether two specifications are of the same index, whatever it is called: these options tell indexes apart. */
function isSame(a: Doc, b: Doc): boolean {
  const facts = ({ key, unique, sparse, partialFilterExpression }: Doc) =>
    [numbersAlike(key as Doc), isTruthy(unique), isTruthy(sparse), display(partialFilterExpression)].join();
  return facts(a) === facts(b);
}

/** Whether the index is there already. Throws if another stands in its way, by its name or by its key. */
function isThere(indexes: Index[], spec: Doc): boolean {
  for (const { spec: other, primary } of indexes) {
    const hasName = other.name === spec.name;
    if (!isSame(other, spec)) {
      if (!hasName) continue;
      const reason =
        'An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation.';
      throw new Fault(86, `${reason} Requested index: ${display(spec)}, existing index: ${display(other)}`);
    }
    if (display(other.expireAfterSeconds) !== display(spec.expireAfterSeconds)) {
      const reason = `An equivalent index already exists with ${hasName ? 'the same name but different' : 'a different name and'} options.`;
      throw new Fault(85, `${reason} Requested index: ${display(spec)}, existing index: ${display(other)}`);
    }
    if (!hasName && !primary) throw new Fault(85, `Index already exists with a different name: ${String(other.name)}`);
    return true;
  }
  return false;
}

const createIndexes: Command = {
  fields: ['indexes'],
  run: (engine, request) => {
    const namespace = targetOf(request);
    const { indexes } = request.body;
    if (!Array.isArray(indexes) || indexes.length === 0)
      throw new Fault(2, 'Must specify at least one index to create');
    const specs = indexes.map((spec) => specOf(isDoc(spec) ? spec : {}));
    return engine.write(() => {
      const createdCollectionAutomatically = engine.catalog.find(namespace) === undefined;
      let collection = engine.ensure(namespace);
      const before = collection.indexes.length;
      for (const spec of specs) {
        if (!isThere(collection.indexes, spec)) {
          collection = engine.records.buildIndex(
            collection,
            engine.catalog.newIndex(spec),
            documentsOf(engine, collection),
          );
        }
      }
      const after = collection.indexes.length;
      return {
        numIndexesBefore: int(before),
        numIndexesAfter: int(after),
        createdCollectionAutomatically,
        ...(before === after ? { note: 'all indexes already exist' } : {}),
      };
    });
  },
};

function* documentsOf(engine: Engine, { primary }: Collection): Generator<Doc> {
  let { low, high } = under(primary.prefix);
  for (;;) {
    const entries = engine.storage.read({ low, high }, false, 1000);
    for (const { value } of entries) yield decode(value);
    if (entries.length < 1000) return;
    low = Buffer.concat([entries[entries.length - 1]!.key, Buffer.of(0)]);
  }
}

const listIndexes: Command = {
  fields: ['cursor'],
  run: (engine, request) => {
    const collection = existing(engine, request);
    const specs = collection.indexes.map(({ spec }) => spec);
    return batchOf(engine, collection.namespace, specs, request.body);
  },
};

const dropIndexes: Command = {
  fields: ['index'],
  run: (engine, request) =>
    engine.write(() => {
      let collection = existing(engine, request);
      const before = collection.indexes.length;
      for (const index of indexesToDrop(collection, request.body.index))
        collection = engine.catalog.dropIndex(collection, index);
      return { nIndexesWas: int(before) };
    }),
};

function indexesToDrop({ indexes }: Collection, wanted: unknown): Index[] {
  if (wanted === '*') return indexes.slice(1);
  return (Array.isArray(wanted) ? wanted : [wanted]).map((each) => {
    const found = indexes.find((index) =>
      isDoc(each) ? numbersAlike(index.spec.key as Doc) === numbersAlike(each) : index.name === each,
    );
    if (found === undefined)
      throw new Fault(
        27,
        isDoc(each) ? `can't find index with key: ${display(each)}` : `index not found with name [${String(each)}]`,
      );
    if (found.primary) throw new Fault(72, 'cannot drop _id index');
    return found;
  });
}

/** The commands for indexes. */
export const indexing: Record<string, Command> = {
  createIndexes,
  listIndexes,
  dropIndexes,
};

import { ObjectId } from 'bson';
import { Fault } from './errors.ts';
import type { Filter } from './match.ts';
import { compileFilter } from './match.ts';
import type { SchemaTest } from './schema.ts';
import { compileSchema } from './schema.ts';
import type { Storage } from './storage.ts';
import { under } from './storage.ts';
import type { Doc } from './values.ts';
import { decode, encode, isDoc, isTruthy, toNumber } from './values.ts';

export interface Index {
  name: string;
  /** The specification as `listIndexes` shows it. */
  spec: Doc;
  paths: string[];
  parts: string[][];
  directions: number[];
  /** The top level fields that decide a document's entries. */
  roots: string[];
  unique: boolean;
  sparse: boolean;
  partial: Filter | undefined;
  /** Seconds after which documents expire, by the date in the index's only field. */
  expireAfter: number | undefined;
  /** Which fields have met an array since the index was built. */
  multikey: boolean[];
  /** The key prefix of the index's entries. For `_id_` the entries are the documents themselves. */
  prefix: Buffer;
  primary: boolean;
}

export interface Collection {
  database: string;
  name: string;
  /** `database.collection`, as errors and cursors name it. */
  namespace: string;
  uuid: unknown;
  options: Doc;
  primary: Index;
  /** All indexes, `_id_` first. */
  indexes: Index[];
  /** The compiled `$jsonSchema` or query of the validator. */
  validate: SchemaTest | undefined;
}

interface Version {
  number: number;
  nextTree: number;
  collections: ReadonlyMap<string, Collection>;
}

const CATALOG = Buffer.from([0, 0, 0, 0]);
const STATE = Buffer.concat([CATALOG, Buffer.of(0)]);
const COLLECTIONS = Buffer.concat([CATALOG, Buffer.of(1)]);
const DROPPED = Buffer.concat([CATALOG, Buffer.of(2)]);

/**
 * What collections and indexes there are. Every change makes a new version, stored with its number; a reader takes the
 * version whose number it sees on disk, so that what it knows of indexes fits the entries that it sees.
 */
export interface Catalog {
  /** The collections as of the current transaction or, outside of one, of the last commit. */
  collections(): ReadonlyMap<string, Collection>;
  find(namespace: string): Collection | undefined;
  /** Within a write: stores the collection's definition, new or changed. */
  save(collection: Collection): void;
  /** Within a write: a new, empty collection. */
  create(namespace: string, options: Doc): Collection;
  /** Within a write: removes the collection; its entries go later. */
  drop(collection: Collection): void;
  /** Within a write: removes an index from the collection, returns the collection without it. */
  dropIndex(collection: Collection, index: Index): Collection;
  /** Within a write: an index over nothing yet, not part of its collection. */
  newIndex(spec: Doc): Index;
  /** Forgets versions that no reader can see any more: all before the one with the number. */
  forgetBefore(number: number): void;
  currentNumber(): number;
  /** Within a write: removes up to `limit` entries of dropped collections and indexes; false if none is left. */
  sweepDropped(limit: number): boolean;
}

/** Reads the catalog from the storage. */
export function openCatalog(storage: Storage): Catalog {
  const versions = new Map<number, Version>();
  const stored = readVersion(storage);
  versions.set(stored.number, stored);

  const current = (): Version => {
    const state = storage.get(STATE);
    return versions.get(state === undefined ? 0 : state.readUInt32BE(0))!;
  };

  const advance = (change: (collections: Map<string, Collection>) => void, nextTree?: number): void => {
    const before = current();
    const collections = new Map(before.collections);
    change(collections);
    const next = { number: before.number + 1, nextTree: nextTree ?? before.nextTree, collections };
    versions.set(next.number, next);
    const state = Buffer.alloc(8);
    state.writeUInt32BE(next.number, 0);
    state.writeUInt32BE(next.nextTree, 4);
    storage.put(STATE, state);
  };

  const newTree = (): Buffer => {
    const { nextTree } = current();
    advance(() => {}, nextTree + 1);
    return treePrefix(nextTree);
  };

  const save = (collection: Collection): void => {
    advance((collections) => collections.set(collection.namespace, collection));
    storage.put(collectionKey(collection.namespace), encode(definitionOf(collection)));
  };

  const abandon = (index: Index): void => storage.put(Buffer.concat([DROPPED, index.prefix]), Buffer.alloc(0));

  return {
    collections: () => current().collections,
    find: (namespace) => current().collections.get(namespace),
    save,
    create(namespace, options) {
      const primary = compileIndex({ v: 2, key: { _id: 1 }, name: '_id_' }, newTree());
      const collection = compileCollection(namespace, new ObjectId(), options, [primary]);
      save(collection);
      return collection;
    },
    drop(collection) {
      advance((collections) => collections.delete(collection.namespace));
      storage.remove(collectionKey(collection.namespace));
      collection.indexes.forEach(abandon);
    },
    dropIndex(collection, index) {
      const changed = { ...collection, indexes: collection.indexes.filter((other) => other.name !== index.name) };
      save(changed);
      abandon(index);
      return changed;
    },
    newIndex: (spec) => compileIndex(spec, newTree()),
    forgetBefore(number) {
      for (const known of versions.keys()) if (known < number) versions.delete(known);
    },
    currentNumber: () => current().number,
    sweepDropped(limit) {
      for (const key of storage.keys(under(DROPPED), 1)) {
        const entries = storage.keys(under(key.subarray(DROPPED.length)), limit);
        entries.forEach(storage.remove);
        if (entries.length < limit) storage.remove(key);
        return true;
      }
      return false;
    },
  };
}

function readVersion(storage: Storage): Version {
  const state = storage.get(STATE);
  const collections = new Map<string, Collection>();
  for (const { value } of storage.read(under(COLLECTIONS), false, 1_000_000)) {
    const stored = decode(value) as { namespace: string; uuid: unknown; options: Doc; indexes: Doc[] };
    const indexes = stored.indexes.map((index) => {
      const compiled = compileIndex(index.spec as Doc, treePrefix(toNumber(index.tree)));
      return { ...compiled, multikey: index.multikey as boolean[] };
    });
    collections.set(stored.namespace, compileCollection(stored.namespace, stored.uuid, stored.options, indexes));
  }
  return { number: state?.readUInt32BE(0) ?? 0, nextTree: state?.readUInt32BE(4) ?? 1, collections };
}

function treePrefix(tree: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(tree);
  return prefix;
}

function collectionKey(namespace: string): Buffer {
  return Buffer.concat([COLLECTIONS, Buffer.from(namespace)]);
}

function definitionOf({ namespace, uuid, options, indexes }: Collection): Doc {
  return {
    namespace,
    uuid,
    options,
    indexes: indexes.map(({ spec, multikey, prefix }) => ({ spec, multikey, tree: prefix.readUInt32BE(0) })),
  };
}

/** The collection with other options, its validator compiled anew. */
export function withOptions(collection: Collection, options: Doc): Collection {
  return compileCollection(collection.namespace, collection.uuid, options, collection.indexes);
}

function compileCollection(namespace: string, uuid: unknown, options: Doc, indexes: Index[]): Collection {
  const dot = namespace.indexOf('.');
  return {
    database: namespace.slice(0, dot),
    name: namespace.slice(dot + 1),
    namespace,
    uuid,
    options,
    primary: indexes[0]!,
    indexes,
    validate: compileValidator(options.validator),
  };
}

/** A validator's test: the schema's account of what fails, or for other queries just that they do. */
export function compileValidator(validator: unknown): SchemaTest | undefined {
  if (!isDoc(validator) || Object.keys(validator).length === 0) return undefined;
  const { $jsonSchema: schema, ...query } = validator;
  const filter = compileFilter(query);
  const schemaTest = schema === undefined ? undefined : compileSchema(schema);
  return (doc) => {
    if (!filter.test(doc)) return { operatorName: '$expr', specifiedAs: query, reason: 'expression did not match' };
    return schemaTest?.(doc);
  };
}

function compileIndex(spec: Doc, prefix: Buffer): Index {
  const paths = Object.keys(spec.key as Doc);
  const filter = spec.partialFilterExpression === undefined ? undefined : compileFilter(spec.partialFilterExpression);
  return {
    name: spec.name as string,
    spec,
    paths,
    parts: paths.map((path) => path.split('.')),
    directions: Object.values(spec.key as Doc).map((direction) => (toNumber(direction) < 0 ? -1 : 1)),
    unique: isTruthy(spec.unique),
    sparse: isTruthy(spec.sparse),
    partial: filter,
    roots: [...paths, ...pathsOf(filter)].map((path) => path.split('.', 1)[0]!),
    expireAfter: spec.expireAfterSeconds === undefined ? undefined : toNumber(spec.expireAfterSeconds),
    multikey: paths.map(() => false),
    prefix,
    primary: spec.name === '_id_',
  };
}

function pathsOf(filter: Filter | undefined): string[] {
  if (filter === undefined) return [];
  return [...filter.conditions.map(({ path }) => path), ...filter.ors.flat().flatMap(pathsOf)];
}

/** `database.collection` of a command. Throws InvalidNamespace for names that MongoDB refuses. */
export function namespaceOf(database: string, collection: unknown): string {
  if (typeof collection !== 'string' || collection === '' || /[\0$]/.test(collection) || collection.startsWith('.')) {
    throw new Fault(73, `Invalid namespace specified '${database}.${String(collection)}'`);
  }
  if (database === '' || /[/\\. "$\0]/.test(database)) throw new Fault(73, `Invalid database name: '${database}'`);
  return `${database}.${collection}`;
}

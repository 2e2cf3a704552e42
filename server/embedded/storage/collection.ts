import type { Filter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import { compileValidator, type Validator } from '../query/validator.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { isTruthy, toNumber } from '../values/numbers.ts';

export interface Index {
  name: string;
  /** The specification as `listIndexes` shows it. */
  spec: Doc;
  paths: string[];
  /** The components of each path. */
  parts: string[][];
  /** 1 or -1 for each path. */
  directions: number[];
  /** The top level fields that decide which entries a document has. */
  roots: string[];
  unique: boolean;
  sparse: boolean;
  partial: Filter | undefined;
  /** Seconds after the date in the index's only field until the document expires. */
  expireAfter: number | undefined;
  /** Which fields have met an array since the index was built. */
  multikey: boolean[];
  /** The prefix of the index's keys. The entries of `_id_` are the documents themselves. */
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
  validate: Validator | undefined;
}

/** An index that has met no array yet. */
export function compileIndex(spec: Doc, prefix: Buffer): Index {
  const paths = Object.keys(spec.key as Doc);
  const partial = spec.partialFilterExpression === undefined ? undefined : compileFilter(spec.partialFilterExpression);
  return {
    name: spec.name as string,
    spec,
    paths,
    parts: paths.map((path) => path.split('.')),
    directions: Object.values(spec.key as Doc).map((direction) => (toNumber(direction) < 0 ? -1 : 1)),
    roots: [...paths.map((path) => path.split('.', 1)[0]!), ...(partial?.reads ?? [])],
    unique: isTruthy(spec.unique),
    sparse: isTruthy(spec.sparse),
    partial,
    expireAfter: spec.expireAfterSeconds === undefined ? undefined : toNumber(spec.expireAfterSeconds),
    multikey: paths.map(() => false),
    prefix,
    primary: spec.name === '_id_',
  };
}

/** The index with another expiry; its entries stay. */
export function withExpiry(index: Index, expireAfterSeconds: unknown): Index {
  const spec = { ...index.spec, expireAfterSeconds };
  return { ...compileIndex(spec, index.prefix), multikey: index.multikey };
}

/** @param indexes all indexes, `_id_` first */
export function compileCollection(namespace: string, uuid: unknown, options: Doc, indexes: Index[]): Collection {
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

/** The collection with other options. */
export function withOptions(collection: Collection, options: Doc): Collection {
  return compileCollection(collection.namespace, collection.uuid, options, collection.indexes);
}

/** The collection with other definitions of its indexes. */
export function withIndexes(collection: Collection, indexes: Index[]): Collection {
  return compileCollection(collection.namespace, collection.uuid, collection.options, indexes);
}

/**
 * The `database.collection` that a command means.
 * @throws Fault InvalidNamespace for names that MongoDB refuses
 */
export function namespaceOf(database: string, collection: unknown): string {
  if (typeof collection !== 'string' || collection === '' || /[\0$]/.test(collection) || collection.startsWith('.')) {
    throw new Fault(73, `Invalid namespace specified '${database}.${String(collection)}'`);
  }
  if (database === '' || /[/\\. "$\0]/.test(database)) throw new Fault(73, `Invalid database name: '${database}'`);
  return `${database}.${collection}`;
}

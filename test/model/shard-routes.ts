/**
 * Where a sharded MongoDB 6 would send what a command asks for: to the shards that it names, to all of them, or nowhere,
 * since it refuses writes of one document that name no shard.
 */
import type { Document } from 'mongodb';
import type { WireCommand } from '../support/op-msg.ts';

export type Route = 'named' | 'all' | 'refused';

export interface Routed {
  /** The command and the collection. */
  what: string;
  collection: string;
  filter: Document;
  route: Route;
}

/** What carries no filter, or goes on with a command that did. */
const WITHOUT_FILTER = new Set([
  'insert',
  'getMore',
  'killCursors',
  'create',
  'createIndexes',
  'collMod',
  'listCollections',
  'listIndexes',
  'dropIndexes',
]);
/** Stages that read other collections in ways that are not looked into here. */
const UNKNOWN_STAGES = ['$lookup', '$graphLookup', '$facet', '$merge', '$out'];

/**
 * @param keys the field that each sharded collection is divided by; others lie on one shard, which every command names
 * @returns what the command asks for of sharded collections, each statement and each branch by itself
 * @throws Error for a command whose filters are not known
 */
export function routesOf({ name, collection, body }: WireCommand, keys: ReadonlyMap<string, string>): Routed[] {
  const routed = (of: string, filter: Document, route: (key: string) => Route): Routed[] => {
    const key = keys.get(of);
    return key === undefined ? [] : [{ what: `${name} ${of}`, collection: of, filter, route: route(key) }];
  };
  const read = (of: string, filter: Document = {}) =>
    routed(of, filter, (key) => (names(filter, key) ? 'named' : 'all'));

  function readPipeline(of: string, pipeline: Document[]): Routed[] {
    const union = pipeline.flatMap(({ $unionWith }) =>
      $unionWith ? readPipeline($unionWith.coll, $unionWith.pipeline) : [],
    );
    const unknown = pipeline.flatMap(Object.keys).find((stage) => UNKNOWN_STAGES.includes(stage));
    if (unknown) throw new Error(`it is not known what ${unknown} reads`);
    return [...read(of, pipeline[0]?.$match), ...union];
  }

  switch (name) {
    case 'find':
      return read(collection, body.filter);
    case 'count':
    case 'distinct':
      return read(collection, body.query);
    case 'aggregate':
      return readPipeline(collection, body.pipeline);
    case 'findAndModify':
      return routed(collection, body.query, (key) => (namesOne(body.query, key) ? 'named' : 'refused'));
    case 'update':
      return body.updates.flatMap(({ q, multi, upsert }: Document) =>
        routed(collection, q, (key) => routeOfWrite(q, key, { isMany: multi, isUpsert: upsert })),
      );
    case 'delete':
      return body.deletes.flatMap(({ q, limit }: Document) =>
        routed(collection, q, (key) => routeOfWrite(q, key, { isMany: limit === 0 })),
      );
    default:
      if (WITHOUT_FILTER.has(name)) return [];
      throw new Error(`it is not known what ${name} asks for`);
  }
}

function routeOfWrite(filter: Document, key: string, { isMany = false, isUpsert = false }): Route {
  if (namesOne(filter, key)) return 'named';
  if (isUpsert) return 'refused';
  if (isMany) return names(filter, key) ? 'named' : 'all';
  // One document is looked for on all shards by its `_id` alone.
  return namesOne(filter, '_id') ? 'all' : 'refused';
}

/** Whether a filter says which values a field has. */
export function names(filter: Document, field: string): boolean {
  const { $and = [], $or = [] } = filter;
  return (
    valuesOf(filter[field]) !== undefined ||
    $and.some((part: Document) => names(part, field)) ||
    ($or.length > 0 && $or.every((part: Document) => names(part, field)))
  );
}

/** Whether it says that a field has one value. */
function namesOne(filter: Document, field: string): boolean {
  const { $and = [] } = filter;
  return valuesOf(filter[field])?.length === 1 || $and.some((part: Document) => namesOne(part, field));
}

function valuesOf(condition: unknown): unknown[] | undefined {
  if (condition === undefined) return undefined;
  const operators = condition as { $eq?: unknown; $in?: unknown[] };
  if (typeof condition !== 'object' || condition === null) return [condition];
  if (!Object.keys(condition)[0]?.startsWith('$')) return [condition];
  return operators.$in ?? ('$eq' in operators ? [operators.$eq] : undefined);
}

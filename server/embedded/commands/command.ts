import { computed } from '../aggregate.ts';
import type { Collection } from '../catalog.ts';
import { namespaceOf } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { Fault } from '../errors.ts';
import { encodeBatch } from '../reply.ts';
import type { Doc } from '../values.ts';
import { isDoc, isTruthy, toInteger, typeName } from '../values.ts';

/** A command as it came: its name, its fields, and the documents that came in a section of their own. */
export interface Request {
  name: string;
  database: string;
  body: Doc;
  /** `insert`: the documents as raw BSON. */
  documents: Uint8Array[];
}

/** The reply: a document, or one that is encoded already. */
export type Reply = Doc | Uint8Array;

export interface Command {
  /** The fields that the command knows, besides the ones every command may have. */
  fields: string[];
  run(engine: Engine, request: Request): Reply | Promise<Reply>;
}

/** Fields of every command that change nothing here: one node, and every acknowledgement is durable. */
const ignored = new Set([
  '$db',
  'lsid',
  '$clusterTime',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'comment',
  'maxTimeMS',
]);

/** Refuses what the command does not know, as MongoDB does: never silence for an option that would change the result. */
export function checkFields({ name, body }: Request, known: string[]): void {
  if ('txnNumber' in body || 'startTransaction' in body || 'autocommit' in body) {
    throw new Fault(20, 'Transaction numbers are only allowed on a replica set member or mongos');
  }
  for (const field of Object.keys(body)) {
    if (field === name || ignored.has(field) || known.includes(field)) continue;
    throw new Fault(40415, `BSON field '${name}.${field}' is an unknown field.`);
  }
}

/** The namespace of the collection that the command's first field names. */
export function targetOf({ name, database, body }: Request): string {
  return namespaceOf(database, body[name]);
}

/** An optional non-negative integer field. */
export function countField(body: Doc, field: string): number | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  const number = toInteger(value, field);
  if (number < 0) throw new Fault(51024, `BSON field '${field}' value must be >= 0, actual value '${number}'`);
  return number;
}

/** An optional document field. */
export function docField(body: Doc, field: string): Doc | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (!isDoc(value))
    throw new Fault(14, `BSON field '${field}' is the wrong type '${typeName(value)}', expected type 'object'`);
  return value;
}

/** A flag. */
export function flag(body: Doc, field: string): boolean {
  return isTruthy(body[field]);
}

/** The documents of a required array field. */
export function docsField(body: Doc, field: string): Doc[] {
  const value = body[field];
  if (!Array.isArray(value) || !value.every(isDoc))
    throw new Fault(14, `BSON field '${field}' must be an array of objects`);
  if (value.length === 0 || value.length > 100_000) {
    throw new Fault(16, `Write batch sizes must be between 1 and 100000. Got ${value.length} operations.`);
  }
  return value;
}

/** The collection that the command names. Throws NamespaceNotFound if there is none. */
export function existing(engine: Engine, request: Request): Collection {
  const namespace = targetOf(request);
  const collection = engine.catalog.find(namespace);
  if (collection === undefined) throw new Fault(26, `ns does not exist: ${namespace}`);
  return collection;
}

/** The reply of a command that lists things as a cursor. */
export function batchOf(engine: Engine, namespace: string, docs: Doc[], body: Doc): Uint8Array {
  return encodeBatch(
    engine.cursors.open(namespace, docs.map(computed), countField(docField(body, 'cursor') ?? {}, 'batchSize')),
  );
}

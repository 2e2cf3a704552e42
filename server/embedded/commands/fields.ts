import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { toInteger } from '../values/integer.ts';
import { isTruthy } from '../values/numbers.ts';
import { typeName } from '../values/types.ts';
import type { CommandRequest } from '../wire/message.ts';

/** Fields that every command may have and that change nothing here: there is one node, and every write is durable. */
const IGNORED = new Set([
  '$db',
  'lsid',
  '$clusterTime',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'comment',
  'maxTimeMS',
]);

/**
 * Refuses fields that the command does not know, as MongoDB does: an option that would change the result is never
 * ignored.
 */
export function checkFields({ name, body }: CommandRequest, known: string[]): void {
  if ('txnNumber' in body || 'startTransaction' in body || 'autocommit' in body) {
    throw new Fault(20, 'Transaction numbers are only allowed on a replica set member or mongos');
  }
  for (const field of Object.keys(body)) {
    if (field === name || IGNORED.has(field) || known.includes(field)) continue;
    throw new Fault(40415, `BSON field '${name}.${field}' is an unknown field.`);
  }
}

/** An optional non-negative integer. */
export function countField(body: Doc, field: string): number | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  const number = toInteger(value, field);
  if (number < 0) throw new Fault(51024, `BSON field '${field}' value must be >= 0, actual value '${number}'`);
  return number;
}

/** An optional document. */
export function docField(body: Doc, field: string): Doc | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (!isDoc(value)) {
    throw new Fault(14, `BSON field '${field}' is the wrong type '${typeName(value)}', expected type 'object'`);
  }
  return value;
}

export function flag(body: Doc, field: string): boolean {
  return isTruthy(body[field]);
}

/** When the command's `maxTimeMS` is over, in milliseconds since the epoch. */
export function deadlineOf(body: Doc): number {
  const limit = countField(body, 'maxTimeMS') ?? 0;
  return limit === 0 ? Infinity : performance.now() + limit;
}

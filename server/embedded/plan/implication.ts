import type { Condition, Filter } from '../query/filter.ts';
import type { Index } from '../storage/collection.ts';
import { compare } from '../values/compare.ts';
import { display } from '../values/display.ts';
import { isNumber, isTruthy } from '../values/numbers.ts';
import { isIndex } from '../values/paths.ts';
import { typeAliases, typeName } from '../values/types.ts';

/** Whether the index has an entry for every document that the filter can match. */
export function isUsable(index: Index, filter: Filter): boolean {
  if (index.parts.some((parts) => parts.some(isIndex))) return false;
  if (index.partial !== undefined && !isImplied(index.partial, filter)) return false;
  return !index.sparse || filter.conditions.some((c) => index.paths.includes(c.path) && demandsField(c));
}

function isImplied(partial: Filter, filter: Filter): boolean {
  if (partial.ors.length > 0) return false;
  return partial.conditions.every((wanted) =>
    filter.conditions.some((given) => given.path === wanted.path && implies(given, wanted)),
  );
}

/** Whether a document that meets the condition must have the field, with a value other than null. */
function demandsField({ op, operand }: Condition): boolean {
  switch (op) {
    case '$exists':
      return isTruthy(operand);
    case '$in':
      return !(operand as unknown[]).includes(null);
    case '$eq':
    case '$gte':
    case '$lte':
      return operand !== null;
    case '$type':
    case '$gt':
    case '$lt':
    case '$regex':
      return true;
    default:
      return false;
  }
}

/** Whether everything that meets `given` meets `wanted`. It may say no where the answer is yes. */
function implies(given: Condition, wanted: Condition): boolean {
  if (given.op === wanted.op && display(given.operand) === display(wanted.operand)) return true;
  if (given.op === '$in') {
    const values = given.operand as unknown[];
    return values.every((operand) => implies({ ...given, op: '$eq', operand }, wanted));
  }
  switch (wanted.op) {
    case '$exists':
      return isTruthy(wanted.operand) && demandsField(given);
    case '$eq':
      return given.op === '$eq' && isSameValue(given.operand, wanted.operand);
    case '$in':
      return given.op === '$eq' && (wanted.operand as unknown[]).some((value) => isSameValue(given.operand, value));
    case '$type':
      return hasType(given, (Array.isArray(wanted.operand) ? wanted.operand : [wanted.operand]).flatMap(typeAliases));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return impliesComparison(given, wanted);
    default:
      return false;
  }
}

function isSameValue(a: unknown, b: unknown): boolean {
  return !Array.isArray(a) && compare(a, b) === 0;
}

/** Whether every value that meets the condition has one of the types. */
function hasType({ op, operand }: Condition, aliases: string[]): boolean {
  if (!['$eq', '$gt', '$gte', '$lt', '$lte'].includes(op) || operand === null || Array.isArray(operand)) return false;
  return comparableTypes(operand).every((type) => aliases.includes(type));
}

/** The types that a value is compared with: its own, or all number types for a number. */
function comparableTypes(value: unknown): string[] {
  return isNumber(value) ? typeAliases('number') : [typeName(value)];
}

function impliesComparison(given: Condition, wanted: Condition): boolean {
  const isUpward = wanted.op === '$gt' || wanted.op === '$gte';
  const allowed = isUpward ? ['$eq', '$gt', '$gte'] : ['$eq', '$lt', '$lte'];
  if (!allowed.includes(given.op) || Array.isArray(given.operand) || given.operand === null) return false;
  if (!hasType(given, comparableTypes(wanted.operand))) return false;
  const order = compare(given.operand, wanted.operand) * (isUpward ? 1 : -1);
  const isStrict = wanted.op === '$gt' || wanted.op === '$lt';
  return order > 0 || (order === 0 && (!isStrict || given.op === wanted.op));
}

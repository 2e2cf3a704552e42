import { compileFilter } from '../query/match.ts';
import { display } from '../values/display.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { int, isNumber, isTruthy, toNumber } from '../values/numbers.ts';
import { typeName } from '../values/types.ts';

const INDEX_OPTIONS = [
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
];

/**
 * Checks an index specification and returns it as it is stored.
 * @throws Fault CannotCreateIndex, InvalidIndexSpecificationOption, FailedToParse
 */
export function indexSpec(given: Doc): Doc {
  const { key, name, partialFilterExpression: partial, expireAfterSeconds: expire } = given;
  if (!isDoc(key) || Object.keys(key).length === 0) throw new Fault(67, 'Index keys cannot be empty.');
  if (typeof name !== 'string' || name === '') {
    throw new Fault(9, "The 'name' field is a required property of an index specification");
  }
  const unknown = Object.keys(given).find((option) => !INDEX_OPTIONS.includes(option));
  if (unknown !== undefined) {
    throw new Fault(
      197,
      `The field '${unknown}' is not valid for an index specification. Specification: ${display(given)}`,
    );
  }
  for (const [path, direction] of Object.entries(key)) checkKey(path, direction);
  if (partial !== undefined) checkPartial(partial, given);
  if (expire !== undefined) checkExpiry(expire, key);
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

function checkKey(path: string, direction: unknown): void {
  if (!isNumber(direction)) throw new Fault(67, `Unknown index plugin '${String(direction)}'`);
  if (toNumber(direction) === 0) throw new Fault(67, 'Values in the index key pattern cannot be 0.');
  if (path === '' || path.startsWith('$') || path.split('.').includes('')) {
    throw new Fault(67, `Index key contains an illegal field name: '${path}'`);
  }
}

function checkPartial(partial: unknown, given: Doc): void {
  if (!isDoc(partial)) {
    throw new Fault(
      14,
      `The field 'partialFilterExpression' is the wrong type '${typeName(partial)}', expected type 'object'`,
    );
  }
  if (isTruthy(given.sparse)) throw new Fault(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  const isRefused = compileFilter(partial).conditions.some(
    ({ op, operand }) => op === 'other' || op === '$regex' || (op === '$exists' && !isTruthy(operand)),
  );
  if (isRefused) throw new Fault(67, `unsupported expression in partial index: ${display(partial)}`);
}

/** @throws Fault CannotCreateIndex for an expiry that cannot be, or an index that cannot have one */
export function checkExpiry(expire: unknown, key: Doc): void {
  if (!isNumber(expire) || toNumber(expire) < 0) {
    throw new Fault(67, `TTL index 'expireAfterSeconds' option must be within an acceptable range: ${display(expire)}`);
  }
  if (Object.keys(key).length > 1) {
    throw new Fault(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL.');
  }
}

import { Double, Int32, Long, Timestamp } from 'bson';

/** Whether the value is of one of the number types. */
export function isNumber(value: unknown): value is Int32 | Double | Long | number {
  return typeof value === 'number' || value instanceof Int32 || value instanceof Double || isLong(value);
}

/** Whether the value is a 64-bit integer. (`Timestamp` inherits from `Long`, but is not a number.) */
export function isLong(value: unknown): value is Long {
  return Long.isLong(value) && !(value instanceof Timestamp);
}

/** The value as a JavaScript number, NaN if it is not a number. 64-bit integers above 2^53 lose precision. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value instanceof Int32 || value instanceof Double) return value.value;
  return isLong(value) ? value.toNumber() : Number.NaN;
}

/** The number in the smallest type that holds it: `Int32`, `Long`, or `Double` for fractions. */
export function fromNumber(number: number): Int32 | Long | Double {
  if (!Number.isSafeInteger(number)) return new Double(number);
  return number >= -0x80000000 && number <= 0x7fffffff ? new Int32(number) : Long.fromNumber(number);
}

/** MongoDB's truth: everything except false, null, missing and zero. */
export function isTruthy(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return !isNumber(value) || toNumber(value) !== 0;
}

/** A number that drivers expect as a 32-bit integer. */
export const int = (number: number): Int32 => new Int32(number);

/** A number that drivers expect as a 64-bit integer. */
export const long = (number: number): Long => Long.fromNumber(number);

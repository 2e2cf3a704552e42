import { Double, Int32, Long } from 'bson';
import { isLong, toNumber } from './numbers.ts';

/**
 * Adds or subtracts two numbers with MongoDB's result types: a double with anything is a double, a 64-bit integer with
 * an integer is 64-bit, and 32-bit integers that overflow become 64-bit.
 * @returns undefined if a 64-bit integer overflows
 */
export function arithmetic(op: 'add' | 'subtract', a: unknown, b: unknown): Int32 | Long | Double | undefined {
  if (isFloat(a) || isFloat(b)) {
    return new Double(op === 'add' ? toNumber(a) + toNumber(b) : toNumber(a) - toNumber(b));
  }
  const exact = op === 'add' ? toBigInt(a) + toBigInt(b) : toBigInt(a) - toBigInt(b);
  if (exact !== BigInt.asIntN(64, exact)) return undefined;
  if (isLong(a) || isLong(b)) return Long.fromBigInt(exact);
  return exact === BigInt.asIntN(32, exact) ? new Int32(Number(exact)) : Long.fromBigInt(exact);
}

/** The sum of two numbers. Where 64-bit integers overflow it becomes a double. */
export function addNumbers(a: unknown, b: unknown): Int32 | Long | Double {
  return arithmetic('add', a, b) ?? new Double(toNumber(a) + toNumber(b));
}

function isFloat(value: unknown): boolean {
  return value instanceof Double || typeof value === 'number';
}

function toBigInt(value: unknown): bigint {
  return isLong(value) ? value.toBigInt() : BigInt((value as Int32).value);
}

import { Double, Int32, Long } from 'bson';
import { isLong, toNumber } from './values.ts';

/**
 * Adds or subtracts as MongoDB does: a double makes the result a double, a 64-bit integer makes it one, 32-bit
 * integers that overflow become 64-bit. Both operands must be numbers.
 * @returns undefined if a 64-bit integer overflows
 */
export function arithmetic(op: 'add' | 'subtract', a: unknown, b: unknown): Int32 | Long | Double | undefined {
  if (isFloat(a) || isFloat(b)) return new Double(apply(op, toNumber(a), toNumber(b)));
  const exact = applyExact(op, toBigInt(a), toBigInt(b));
  if (exact !== BigInt.asIntN(64, exact)) return undefined;
  if (isLong(a) || isLong(b)) return Long.fromBigInt(exact);
  return exact === BigInt.asIntN(32, exact) ? new Int32(Number(exact)) : Long.fromBigInt(exact);
}

function isFloat(value: unknown): boolean {
  return value instanceof Double || typeof value === 'number';
}

function toBigInt(value: unknown): bigint {
  return isLong(value) ? value.toBigInt() : BigInt((value as Int32).value);
}

function apply(op: 'add' | 'subtract', a: number, b: number): number {
  return op === 'add' ? a + b : a - b;
}

function applyExact(op: 'add' | 'subtract', a: bigint, b: bigint): bigint {
  return op === 'add' ? a + b : a - b;
}

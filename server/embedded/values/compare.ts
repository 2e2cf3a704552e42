import { Double, Int32, ObjectId } from 'bson';
import { encodeValue } from './key-encoding.ts';
import { typeOrder } from './type-order.ts';

/** Compares two values in MongoDB's order across all types. Missing counts as null. Negative, zero or positive. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : compareText(a, b);
  if ((a instanceof Int32 || a instanceof Double) && (b instanceof Int32 || b instanceof Double)) {
    if (a.value < b.value) return -1;
    if (a.value > b.value) return 1;
    if (a.value === b.value) return 0;
  } else if (a instanceof ObjectId && b instanceof ObjectId) return Buffer.compare(a.id, b.id);
  else if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  const byType = typeOrder(a) - typeOrder(b);
  return byType !== 0 ? byType : Buffer.compare(encodeValue(a), encodeValue(b));
}

/** Compares by UTF-8 bytes (code points), as MongoDB does. JavaScript compares UTF-16 units. */
function compareText(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const bothHigh = left >= 0xd800 && right >= 0xd800;
    if (bothHigh && left < 0xe000 !== right < 0xe000) return left < 0xe000 ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

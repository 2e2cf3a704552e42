import type { Binary } from 'bson';
import { BSONRegExp, Double, ObjectId } from 'bson';
import { isDoc } from './document.ts';
import { isNumber } from './numbers.ts';

/** The value in the notation of MongoDB's error messages. */
export function display(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(display).join(', ')} ]`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof Double) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
  if (isNumber(value)) return String(value);
  if (!isDoc(value)) return displayOther(value as { _bsontype: string });
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${display(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function displayOther(value: { _bsontype: string }): string {
  if (value._bsontype !== 'Binary') return value._bsontype;
  const binary = value as unknown as Binary;
  return `BinData(${binary.sub_type}, ${Buffer.from(binary.value()).toString('hex').toUpperCase()})`;
}

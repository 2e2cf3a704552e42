/** Stored form → wire form, for every document: ObjectId → 24 hex characters, Date → ISO 8601 UTC with milliseconds. */
import { ObjectId } from 'mongodb';

/** The wire form of a stored type. */
export type Wire<T> = T extends ObjectId | Date ? string : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;

/** Translates a stored value with everything inside it, leaving out `undefined` properties. */
export function toWire<T>(value: T): Wire<T>;
export function toWire(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((element) => toWire(element));
  const translated: Record<string, unknown> = {};
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner !== undefined) translated[key] = toWire(inner);
  }
  return translated;
}

/** The ObjectId of a validated id. @throws BSONError for anything but 24 hex characters */
export function fromId(id: string): ObjectId {
  return ObjectId.createFromHexString(id);
}

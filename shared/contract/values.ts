/** The small values that everything else is made of (PROTOCOL section 1). */
import Type, { type TObject, type TProperties, type TSchema } from 'typebox';

/** An object that refuses unknown properties: what comes in from outside. */
export function Closed<P extends TProperties>(properties: P, options: object = {}): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** One of a fixed set of strings. */
export function OneOf<const V extends readonly string[]>(values: V) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values] });
}

/** The value or null. */
export function Nullable<S extends TSchema>(schema: S) {
  return Type.Union([schema, Type.Null()]);
}

export const Id = Type.String({ pattern: '^[0-9a-f]{24}$' });
/** ISO 8601, UTC, with or without fractions of a second when it comes in; always with milliseconds when it goes out. */
export const Timestamp = Type.String({ format: 'timestamp', maxLength: 30 });
export const ConversationId = Type.String({ minLength: 1, maxLength: 64 });
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const Empty = Closed({});

/** An answer over HTTP without a body. */
export const NoBody = Type.Unsafe<undefined>({ type: 'null' });

/** An answer over HTTP that is not JSON. */
export function Raw(mediaType: string, description: string) {
  return Type.Unsafe<unknown>({ contentMediaType: mediaType, description });
}

/** A page's size: refused above `maximum`, never clamped. */
export function Limit(maximum: number) {
  return Type.Optional(Type.Integer({ minimum: 1, maximum }));
}

/** Text measured in UTF-8 bytes rather than characters. */
export function Bytes(maxBytes: number, minBytes = 0) {
  return Type.String({ maxBytes, minBytes });
}

/** A name that others read: it shows as something and does not turn the writing direction. */
export function DisplayName(maxLength: number, minLength = 0) {
  return Type.String({ minLength, maxLength, displayName: true });
}

/** An integrator's own data (PROTOCOL section 4): kept and given back as it came, never looked into. */
export const Metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  isMetadata: true,
  description: 'At most 4 KiB as UTF-8, 8 deep (the object is 1), no key that begins with `$` or has a `.` or NUL.',
});

export const DeviceInfo = Closed({
  device_type: Type.Optional(Type.String({ maxLength: 100 })),
  app_version: Type.Optional(Type.String({ maxLength: 100 })),
  platform: Type.Optional(Type.String({ maxLength: 100 })),
});

const target = { recipient_id: Type.Optional(Id), group_id: Type.Optional(Id) };

/** A payload with a target: exactly one of `recipient_id` and `group_id` (PROTOCOL section 4). */
export function Targeted<P extends TProperties>(properties: P, options: object = {}) {
  return Closed(
    { ...target, ...properties },
    { oneOf: [{ required: ['recipient_id'] }, { required: ['group_id'] }], ...options },
  );
}

/** A payload that may be narrowed to one conversation. */
export function OptionallyTargeted<P extends TProperties>(properties: P) {
  return Closed({ ...target, ...properties }, { not: { required: ['recipient_id', 'group_id'] } });
}

export interface Target {
  recipient_id?: string;
  group_id?: string;
}

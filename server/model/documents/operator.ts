/** A key of the operator's own back end (PROTOCOL section 12). One that is revoked is gone. */
export interface ServerKeyDocument {
  /** The part of the key that is no secret. */
  _id: string;
  name: string;
  /** SHA-256 of the key as a whole. */
  hash: string;
  created_at: Date;
  /** To the minute. */
  last_used_at?: Date;
}

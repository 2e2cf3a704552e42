import type { Filter } from '../query/filter.ts';
import type { Doc } from '../values/document.ts';

/** Changes the document at a path without `$`. */
export type Change = (doc: Doc, path: string[]) => void;

/** An update operator: checks its operand for the path once, then changes documents. */
export type Modifier = (operand: unknown, path: string) => Change;

/** A compiled update. */
export interface Update {
  /** The document after the update. The given one is left as it is. `filter` is the query that found it, for `$`. */
  apply(doc: Doc, filter: Filter): Doc;
  /** The document that an upsert inserts when nothing matches `filter`. */
  upsert(filter: Filter): Doc;
  isReplacement: boolean;
}

import { type Doc, decode, encode } from '../values/document.ts';

/** A document that a query found: as it is stored, and decoded once something needs that. */
export interface Found {
  readonly raw: Uint8Array;
  doc: Doc | undefined;
}

/** A document that a query computed. It is encoded when it leaves the pipeline. */
export function computed(doc: Doc): Found {
  return {
    doc,
    get raw() {
      return encode(doc);
    },
  };
}

/** The decoded document. It is decoded once. */
export function docOf(found: Found): Doc {
  found.doc ??= decode(found.raw);
  return found.doc;
}

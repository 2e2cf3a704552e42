import type { Transform } from '../query/projection.ts';
import { type Doc, decode, encode } from '../values/document.ts';
import { type Selection, select } from '../values/raw.ts';

/** A document that a query found: as it is stored, and decoded once something needs that. */
export interface Found {
  readonly raw: Buffer;
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

/** The document as far as somebody looks at it: its chosen fields decoded, or all if they are decoded already. */
export function partOf({ doc, raw }: Found, fields: Selection): Doc {
  return doc ?? decode(select(raw, fields));
}

/** What a transform makes of the document. A choice of fields is taken out of what is stored. */
export function transformed(found: Found, { selection, apply }: Transform): Found {
  if (selection === undefined || found.doc !== undefined) return computed(apply(docOf(found)));
  return { raw: select(found.raw, selection), doc: undefined };
}

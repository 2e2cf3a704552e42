import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange } from '../../server/media/read/byte-range.ts';
import { contentDisposition } from '../../server/media/read/content-disposition.ts';
import { parametersOf } from '../../server/media/upload/header-parameters.ts';
import { cleanFilename, filenameIn } from '../../server/media/upload/original-filename.ts';

/** A header at its semicolons outside quotes. */
const partsOf = (header: string) => header.match(/(?:[^;"]|"(?:[^"\\]|\\.)*")+/g)!;
const anyName = fc.string({ unit: 'binary', maxLength: 60 });

describe('a file name', () => {
  it('is never a path, never empty, and never has control characters', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const cleaned = cleanFilename(name);
        expect(cleaned).not.toMatch(/[/\\\p{Cc}\u202a-\u202e]/u);
        expect(cleaned).not.toMatch(/^\.*$/);
        expect(cleaned.isWellFormed()).toBe(true);
        expect(cleanFilename(cleaned)).toBe(cleaned);
      }),
    );
  });

  it('survives the header that carries it', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const cleaned = cleanFilename(name);
        const header = contentDisposition('attachment', cleaned);
        expect(header).toMatch(/^attachment; filename="(?:[^"\\]|\\.)*"(?:; filename\*=UTF-8''[\w.!~%-]*)?$/);
        const extended = /filename\*=UTF-8''(.*)$/.exec(header)?.[1];
        const quoted = /filename="((?:[^"\\]|\\.)*)"/.exec(header)![1]!.replaceAll(/\\(.)/g, '$1');
        expect(extended === undefined ? quoted : decodeURIComponent(extended)).toBe(cleaned);
      }),
    );
  });

  it('is read again from that header, whatever the order of its parameters', () => {
    fc.assert(
      fc.property(anyName, fc.boolean(), (name, isReversed) => {
        const cleaned = cleanFilename(name);
        const [type, ...parameters] = partsOf(contentDisposition('attachment', cleaned));
        const header = [type, ...(isReversed ? parameters.reverse() : parameters)].join(';');
        // A browser would have escaped what looks like an escape.
        const expected = header.includes('filename*')
          ? cleaned
          : cleaned.replaceAll(/%(22|0D|0A)/g, decodeURIComponent);
        expect(filenameIn(parametersOf(header))).toBe(expected);
      }),
    );
  });

  it('is looked for in any header without an error', () => {
    const piece = fc.constantFrom(';', '=', '"', '\\', "'", '%', ' ', '*', 'filename', 'UTF-8', '41');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 }))), (pieces) => {
        const name = filenameIn(parametersOf(pieces.join('')));
        expect(name === undefined || typeof name === 'string').toBe(true);
      }),
    );
  });
});

it('a range selects the bytes that RFC 9110 says', () => {
  const number = fc.nat(30);
  fc.assert(
    fc.property(number, number, fc.integer({ min: 1, max: 20 }), (first, last, size) => {
      const bytes = Array.from({ length: size }, (_, i) => i);
      const part = (header: string) => {
        const range = parseRange(header, size);
        return typeof range === 'object' ? bytes.slice(range.start, range.end) : range;
      };
      const whole = first > last ? undefined : first >= size ? 'unsatisfiable' : bytes.slice(first, last + 1);
      expect(part(`bytes=${first}-${last}`)).toEqual(whole);
      expect(part(`bytes=${first}-`)).toEqual(first >= size ? 'unsatisfiable' : bytes.slice(first));
      expect(part(`bytes=-${last}`)).toEqual(last === 0 ? 'unsatisfiable' : bytes.slice(-last));
    }),
  );
});

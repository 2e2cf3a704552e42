import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange } from '../../server/media/read/byte-range.ts';
import { contentDisposition } from '../../server/media/read/content-disposition.ts';
import { cleanFilename } from '../../server/media/upload/original-filename.ts';

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

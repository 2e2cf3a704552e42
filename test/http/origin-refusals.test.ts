import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createOriginRefusals } from '../../server/http/origin-refusals.ts';

/** Notes origins, and returns what was logged. */
function logged(origins: string[]): { origin?: string; msg: string }[] {
  const lines: string[] = [];
  const refusals = createOriginRefusals(pino({}, { write: (line: string) => void lines.push(line) }));
  for (const origin of origins) refusals.note(origin);
  return lines.map((line) => JSON.parse(line));
}

describe('the refusals of origins', () => {
  it('are logged once each, with what to do', () => {
    const lines = logged(['https://a.example', 'https://b.example', 'https://a.example', 'https://b.example']);
    expect(lines.map(({ origin }) => origin)).toEqual(['https://a.example', 'https://b.example']);
    expect(lines[0]!.msg).toContain('CORS_ORIGINS');
  });

  it('are no longer logged, nor remembered, when there are too many', () => {
    const lines = logged(Array.from({ length: 10_000 }, (_, i) => `https://${i}.example`));
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)!.msg).toContain('not told any more');
  });

  it('hold a part of an origin that is too long', () => {
    const [line] = logged([`https://${'a'.repeat(10_000)}.example`]);
    expect(line!.origin!.length).toBeLessThan(300);
  });
});

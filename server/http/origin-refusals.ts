/** Tells the operator which pages were refused for their origin: each origin once, since its pages try again and again. */
import type { Logger } from 'pino';

/** Anyone can make up origins: this many are told, then no more until the next start. */
const MOST = 100;
const LONGEST = 200;

export interface OriginRefusals {
  note(origin: string): void;
}

export function createOriginRefusals(log: Logger): OriginRefusals {
  const told = new Set<string>();
  return {
    note(origin) {
      const shown = origin.slice(0, LONGEST);
      if (told.size > MOST || told.has(shown)) return;
      told.add(shown);
      if (told.size > MOST) log.warn('pages of further origins were refused: they are not told any more');
      else log.warn({ origin: shown }, 'pages of this origin were refused: if they are yours, add it to CORS_ORIGINS');
    },
  };
}

/** Numbers that are known beyond those that are known without a gap. */

/** All numbers from the first to the last. */
export type Span = readonly [first: number, last: number];

export interface Known {
  /** All numbers up to this one are known. */
  rev: number;
  /** Ascending, apart from each other and from `rev`. */
  ahead: readonly Span[];
}

export function knows({ rev, ahead }: Known, number: number): boolean {
  return number <= rev || ahead.some(([first, last]) => number >= first && number <= last);
}

/** Adds a number. */
export function learn(known: Known, number: number): Known {
  if (knows(known, number)) return known;
  const spans = [...known.ahead, [number, number] as const].sort(([one], [other]) => one - other);
  return merge(known.rev, spans);
}

/** Adds all numbers up to one. */
export function learnUpTo({ rev, ahead }: Known, number: number): Known {
  return number <= rev ? { rev, ahead } : merge(number, ahead);
}

function merge(from: number, spans: readonly Span[]): Known {
  let rev = from;
  const ahead: Span[] = [];
  for (const [first, last] of spans) {
    const before = ahead.at(-1);
    if (first <= rev + 1) rev = Math.max(rev, last);
    else if (before && first <= before[1] + 1) ahead[ahead.length - 1] = [before[0], Math.max(before[1], last)];
    else ahead.push([first, last]);
  }
  return { rev, ahead };
}

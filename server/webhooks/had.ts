/** Which `seq`s a receiver has had, as a list of ranges: from, to, from, to … ascending, with gaps between. */

/** Beyond this many ranges the lowest are forgotten: a change of those messages is told as new again. */
const MOST_RANGES = 1000;

/** @returns the place of the first range that does not end below a `seq`, as an index of its `from` */
function placeOf(had: readonly number[], seq: number): number {
  let low = 0;
  let high = had.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (had[middle * 2 + 1]! < seq) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

export function hasHad(had: readonly number[], seq: number): boolean {
  return (had[placeOf(had, seq)] ?? Number.POSITIVE_INFINITY) <= seq;
}

/** Adds a `seq` to a list, in place. */
export function addHad(had: number[], seq: number): void {
  if (hasHad(had, seq)) return;
  const at = placeOf(had, seq);
  const follows = at > 0 && had[at - 1] === seq - 1;
  const precedes = had[at] === seq + 1;
  if (follows && precedes) had.splice(at - 1, 2);
  else if (follows) had[at - 1] = seq;
  else if (precedes) had[at] = seq;
  else had.splice(at, 0, seq, seq);
  if (had.length > 2 * MOST_RANGES) had.splice(0, 2);
}

/** @returns what of a list lies at or below a `seq` */
export function hadUpTo(had: readonly number[], seq: number): number[] {
  const below = had.slice(0, placeOf(had, seq + 1));
  const [from] = had.slice(below.length);
  return from !== undefined && from <= seq ? [...below, from, seq] : below;
}

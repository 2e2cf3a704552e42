/** When the actions are due, which they are and who does them: all by one seed, and nothing by what the server does. */

export type Random = () => number;

/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A Poisson process: users act independently of each other.
 * @param rate actions per second on average
 * @returns the times, in milliseconds from the start, that lie before the end
 */
export function* arrivals(rate: number, seconds: number, random: Random): Generator<number> {
  for (let at = 0; ; ) {
    at += (-Math.log(1 - random()) / rate) * 1000;
    if (at >= seconds * 1000) return;
    yield at;
  }
}

/** @returns a function that draws one of the names, each as often as its share says */
export function drawBy<Name extends string>(shares: Partial<Record<Name, number>>, random: Random): () => Name {
  const entries = Object.entries(shares) as [Name, number][];
  const total = entries.reduce((sum, [, share]) => sum + share, 0);
  return () => {
    let left = random() * total;
    for (const [name, share] of entries) {
      left -= share;
      if (left < 0) return name;
    }
    return entries.at(-1)![0];
  };
}

export function drawFrom<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)]!;
}

/**
 * Deals the users into rooms and the rooms to the processes, so that who writes to each other is in one process, which
 * can judge on its own what arrived.
 * @param users at least two; with rooms of two an even number
 * @returns the sizes of the rooms of each process; a process without rooms is left out
 */
export function dealRooms(users: number, roomSize: number, processes: number): number[][] {
  const rooms = Math.max(1, Math.floor(users / roomSize));
  const dealt: number[][] = [];
  for (let room = 0; room < rooms; room++) {
    const size = Math.floor(users / rooms) + (room < users % rooms ? 1 : 0);
    const process = room % processes;
    dealt[process] = [...(dealt[process] ?? []), size];
  }
  return dealt;
}

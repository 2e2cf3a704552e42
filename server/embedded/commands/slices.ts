/** Long work in slices: the commands of other connections are carried out in between, as in MongoDB, which yields too. */
import { setImmediate } from 'node:timers/promises';

/** How long a slice lasts, in milliseconds. */
const SLICE_MS = 4;

/** Calls back with each item. */
export async function forEachInSlices<T>(items: Iterable<T>, use: (item: T) => void): Promise<void> {
  let since = performance.now();
  for (const item of items) {
    use(item);
    if (performance.now() - since < SLICE_MS) continue;
    await setImmediate();
    since = performance.now();
  }
}

/**
 * Does work for each item, for `atOnce` of them at a time.
 * @returns rejects with the first error; what is under way then ends by itself
 */
export async function eachOf<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let hasFailed = false;
  async function workOn(): Promise<void> {
    for (let next = rest.next(); !next.done && !hasFailed; next = rest.next()) await work(next.value);
  }
  await Promise.all(
    Array.from({ length: atOnce }, () =>
      workOn().catch((error: unknown) => {
        hasFailed = true;
        throw error;
      }),
    ),
  );
}

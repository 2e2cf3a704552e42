/**
 * Does the same with each item, some of them at a time.
 * @returns the outcomes, in the order of the items
 * @throws what the first that failed threw
 */
export async function inLanes<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const outcomes = new Array<R>(items.length);
  let next = 0;
  async function lane(): Promise<void> {
    while (next < items.length) {
      const index = next++;
      outcomes[index] = await work(items[index]!, index);
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return outcomes;
}

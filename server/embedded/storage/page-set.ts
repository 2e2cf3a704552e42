/** A set of page numbers, a bit each. */
export interface PageSet {
  /** @returns false if the page was there already */
  add(page: number): boolean;
}

/** @param pages how many pages the file has: all numbers are smaller */
export function createPageSet(pages: number): PageSet {
  const bits = new Uint8Array((pages >> 3) + 1);
  return {
    add(page) {
      const bit = 1 << (page & 7);
      if (bits[page >> 3]! & bit) return false;
      bits[page >> 3]! |= bit;
      return true;
    },
  };
}

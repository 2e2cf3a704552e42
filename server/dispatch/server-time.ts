/**
 * The `server_time` that clients give back as `since`. Commands stamp what they write with the time at which they
 * began, but it can be read only once it is written. So an answer's time must not be later than the beginning of any
 * command that is still under way.
 */
export interface ServerTime {
  /** Carries out work that stamps documents with a time after its beginning. */
  during<T>(work: () => Promise<T> | T): Promise<T>;
  /** A time before which everything stamped can be read. */
  now(): Date;
}

/** How late another node's write may be, in milliseconds. */
const OTHER_NODES_MS = 2000;

/** @param isAlone whether no other node writes to the same database */
export function createServerTime(clock: () => Date, isAlone: () => boolean): ServerTime {
  /** In the order of their beginning. */
  const underWay = new Map<object, number>();
  return {
    async during(work) {
      const token = {};
      underWay.set(token, clock().getTime());
      try {
        return await work();
      } finally {
        underWay.delete(token);
      }
    },
    now() {
      const [oldest] = underWay.values();
      const margin = isAlone() ? 0 : OTHER_NODES_MS;
      return new Date(Math.min(oldest ?? Number.POSITIVE_INFINITY, clock().getTime()) - margin);
    },
  };
}

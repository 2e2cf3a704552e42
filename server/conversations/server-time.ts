/**
 * The `server_time` that clients give back as `since`. Everything that `sync` compares with it is stamped when its
 * command begins and is there to be read only when it was written, so the time of an answer must not be later than the
 * beginning of any command that is still under way.
 */
export interface ServerTime {
  /** The functions, with the time at which each call begins known for as long as it is under way. */
  during<F extends object>(functions: F): F;
  /** A time before which everything that was stamped is there to be read. */
  now(): Date;
}

/**
 * @param clock the time
 * @param othersMs how far behind this node's knowledge other nodes' writes and clocks may be, in milliseconds: zero
 * where there are no others
 */
export function createServerTime(clock: () => Date, othersMs: number): ServerTime {
  /** In the order of their beginning. */
  const underWay = new Map<symbol, number>();
  return {
    during<F extends object>(functions: F): F {
      const watched = Object.entries(functions).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          const command = Symbol(name);
          underWay.set(command, clock().getTime());
          try {
            return await call(...args);
          } finally {
            underWay.delete(command);
          }
        },
      ]);
      return Object.fromEntries(watched);
    },
    now() {
      const [oldest] = underWay.values();
      return new Date(Math.min(oldest ?? Number.POSITIVE_INFINITY, clock().getTime()) - othersMs);
    },
  };
}

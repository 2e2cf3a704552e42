/** Keeps a node subscribed to the rooms that it has connections in. Rooms are counted. */
export interface Subscriptions {
  /**
   * Adds one to the count of each room.
   * @returns resolves when what is sent to the rooms from now on reaches this node; undefined when it does already
   */
  hold(rooms: string[]): Promise<void> | undefined;
  /** Takes one from the count of each room. */
  release(rooms: string[]): void;
}

/** Those of a single node, which hears everything. */
export const NO_SUBSCRIPTIONS: Subscriptions = { hold: () => undefined, release: () => {} };

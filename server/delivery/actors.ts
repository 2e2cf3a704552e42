/** Who acted, kept from the moment when a message begins to be stored until it was told. */

export interface Actors {
  /**
   * Notes the socket that stores a message at its first `rev`. It has the acknowledgement, so it is left out when the
   * message is told, even where another path is the first to find the message stored.
   */
  note(messageId: string, rev: number, socket: string): void;
  forget(messageId: string, rev: number): void;
  find(messageId: string, rev: number): string | undefined;
}

export function createActors(): Actors {
  const sockets = new Map<string, string>();
  const keyOf = (messageId: string, rev: number) => `${messageId} ${rev}`;
  return {
    note: (messageId, rev, socket) => void sockets.set(keyOf(messageId, rev), socket),
    forget: (messageId, rev) => void sockets.delete(keyOf(messageId, rev)),
    find: (messageId, rev) => sockets.get(keyOf(messageId, rev)),
  };
}

/** Who acts, for as long as it is being stored and not yet told. */

export interface Actors {
  /**
   * Notes the socket that a message, at its first `rev`, is stored for: it has the acknowledgement, also where the
   * message is found stored before it is told.
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

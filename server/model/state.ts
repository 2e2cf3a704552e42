/** Versions of the documents that are sent as a whole, so that of two states the newer one is known. */

/** The state that an event carries; delivery never sends an older one after a newer one. */
export interface State {
  /** The document. */
  of: string;
  /** Grows with each stored change. */
  version: number;
}

/**
 * @param kind what the document is, e.g. `group`
 * @param id its id
 * @param version as stored; 0 if it has none yet
 */
export function stateOf(kind: string, id: unknown, version = 0): State {
  return { of: `${kind} ${id}`, version };
}

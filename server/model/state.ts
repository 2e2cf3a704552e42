/** Which of two states of one thing is the newer: each document that is told as a whole carries a `version`. */

/** Which state of what an event tells: an older one must not follow a newer one. */
export interface State {
  of: string;
  /** Grows with each change of it, by the store. */
  version: number;
}

/**
 * @param kind what the document is, e.g. `group`
 * @param id its id
 * @param version as stored; 0 where it has none yet
 */
export function stateOf(kind: string, id: unknown, version = 0): State {
  return { of: `${kind} ${id}`, version };
}

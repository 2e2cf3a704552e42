/** How nodes wrap what they publish: a head that is unique, a space, and JSON. A copy is recognised without being read. */

/** How many heads are remembered. */
const REMEMBERED = 10_000;

export interface Envelopes<T> {
  wrap(content: T): string;
  /**
   * @returns the content; undefined for what this node wrapped itself, and for a copy of what was opened before
   * @throws SyntaxError when the content is no JSON
   */
  open(envelope: string): T | undefined;
}

/** @param nodeId a name that no other node has */
export function createEnvelopes<T>(nodeId: string): Envelopes<T> {
  const opened = new Set<string>();
  let serial = 0;
  return {
    wrap: (content) => `${nodeId}:${++serial} ${JSON.stringify(content)}`,
    open(envelope) {
      const end = envelope.indexOf(' ');
      const head = envelope.slice(0, end);
      if (head.startsWith(`${nodeId}:`) || opened.has(head)) return undefined;
      opened.add(head);
      if (opened.size > REMEMBERED) opened.delete(opened.values().next().value!);
      return JSON.parse(envelope.slice(end + 1)) as T;
    },
  };
}

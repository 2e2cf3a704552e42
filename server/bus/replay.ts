/**
 * Remembers what this node published lately and nobody would find in the database: events that tell how something is
 * now, and marks. They are published once more for nodes that were cut off; the others recognise the copies.
 */
import { mayRing } from '../../shared/contract/calls.ts';
import type { Call } from '../../shared/contract/documents.ts';
import type { EventPayload } from '../../shared/contract/index.ts';
import type { EventOperation, Operation } from './operations.ts';

/** At most this many events are remembered … */
const REMEMBERED = 5000;
/** … and this much text. The oldest are forgotten first; clients read those again, as after any loss. */
const REMEMBERED_CHARACTERS = 16 * 1024 * 1024;

interface Publication {
  /** When it was published, in milliseconds. */
  at: number;
  channels: string[];
  text: string;
}

export interface Replay {
  /** Remembers an operation that was published, if it is one to publish again. */
  note(operation: Operation, publication: Publication): void;
  /** What was published at a moment or later, in milliseconds, oldest first. */
  since(at: number): Publication[];
}

export function createReplay(): Replay {
  const publications = new Map<string, Publication>();
  let characters = 0;
  let serial = 0;

  function forget(key: string): void {
    const publication = publications.get(key);
    if (!publication) return;
    publications.delete(key);
    characters -= publication.text.length;
  }

  return {
    note(operation, publication) {
      if (operation.kind !== 'event') return;
      const { event, payload } = operation;
      if (event === 'call:updated') {
        const { call } = payload as EventPayload<typeof event>;
        if (!mayRing(call)) forget(ringKey(call));
      }
      const key = keyOf(operation, () => String(++serial));
      if (!key) return;
      forget(key);
      publications.set(key, publication);
      characters += publication.text.length;
      for (const oldest of publications.keys()) {
        if (publications.size <= REMEMBERED && characters <= REMEMBERED_CHARACTERS) break;
        forget(oldest);
      }
    },
    since: (at) => [...publications.values()].filter((publication) => publication.at >= at),
  };
}

const ringKey = (call: Call) => `ring ${call._id}`;

/** Of events with the same key only the last matters; undefined for an event that is not to be published again. */
function keyOf({ to, event, payload, state }: EventOperation, unique: () => string): string | undefined {
  if (event === 'message:status') {
    const { conversation_id, user_id } = payload as EventPayload<typeof event>;
    return `marks ${conversation_id} ${user_id} ${JSON.stringify(to)}`;
  }
  if (!state) return undefined;
  if (event === 'call:incoming') return ringKey((payload as EventPayload<typeof event>).call);
  // These also tell what happened, so each one matters.
  if (event === 'group:updated' || event === 'call:updated') return unique();
  return `${state.of} ${JSON.stringify(to)}`;
}

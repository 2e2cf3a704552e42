/**
 * What this node published lately and no one would find in the database: events that tell how something is now, and
 * marks. They are published once more for nodes that were cut off; the others know them by their heads.
 */
import type { Call } from '../../shared/contract/documents.ts';
import type { EventPayload } from '../../shared/contract/index.ts';
import type { EventOperation, Operation } from './operations.ts';
import { mayRing } from '../../shared/contract/calls.ts';

/** Of so many events … */
const REMEMBERED = 5000;
/** … and so much text; of what is more the oldest is forgotten, and read again by clients as after any loss. */
const REMEMBERED_CHARACTERS = 16 * 1024 * 1024;

interface Publication {
  /** When it was published, in milliseconds. */
  at: number;
  channels: string[];
  text: string;
}

export interface Replay {
  /** Remembers an operation that was published, if it is one to be published again. */
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
        if (!mayRing(call)) forget(ringOf(call));
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

const ringOf = (call: Call) => `ring ${call._id}`;

/** Of events with the same key the last is all that matters; undefined for one that means nothing later. */
function keyOf({ to, event, payload, state }: EventOperation, unique: () => string): string | undefined {
  if (event === 'message:status') {
    const { conversation_id, user_id } = payload as EventPayload<typeof event>;
    return `marks ${conversation_id} ${user_id} ${JSON.stringify(to)}`;
  }
  if (!state) return undefined;
  if (event === 'call:incoming') return ringOf((payload as EventPayload<typeof event>).call);
  // These tell what happened, too.
  if (event === 'group:updated' || event === 'call:updated') return unique();
  return `${state.of} ${JSON.stringify(to)}`;
}

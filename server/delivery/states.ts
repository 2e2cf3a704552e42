/** Keeps events that tell how something is from going back to an older state of it. */
import { mayRing } from '../../shared/contract/calls.ts';
import type { Call } from '../../shared/contract/documents.ts';
import type { EventOperation } from '../bus/operations.ts';
import { createLru } from '../lib/lru.ts';

/** For how many things the newest version is remembered … */
const REMEMBERED = 50_000;
/** … and for how many the newest document: late events are late by moments. */
const REMEMBERED_DOCUMENTS = 1000;

/** Events that also say what happened, each with the field that has the document. */
const DOCUMENTS = { 'group:updated': 'group', 'call:updated': 'call', 'call:incoming': 'call' } as const;

/**
 * Two nodes, or two connections to the database, may tell of two changes in another order than they were stored in, and
 * whoever believes the last event is left with an old state. So an event with an older state than was told before is
 * dropped (last writer wins, by the version that the store gave). If it also says what happened, it is told with the
 * newest document instead. A call that no longer rings is not told to ring.
 * @returns the payload to tell; undefined where there is nothing to tell any more
 */
export function createStates(): (operation: EventOperation) => EventOperation['payload'] | undefined {
  const versions = createLru<number>('versions told', REMEMBERED);
  const documents = createLru<object>('states told', REMEMBERED_DOCUMENTS);

  return ({ to, event, payload, state }) => {
    if (!state) return payload;
    const field = event in DOCUMENTS ? DOCUMENTS[event as keyof typeof DOCUMENTS] : undefined;
    if (state.version >= (versions.get(state.of) ?? 0)) {
      versions.set(state.of, state.version);
      if (field) documents.set(state.of, payload[field as keyof typeof payload]);
      return payload;
    }
    if (!field) return undefined;
    const newest = documents.get(state.of);
    if (event === 'call:incoming' && newest && !mayRing(newest as Call)) return undefined;
    return newest && maySee(newest, to) ? { ...payload, [field]: newest } : payload;
  };
}

/** Somebody who was taken out of a group is told so, and nothing of what came after. */
function maySee(document: object, to: EventOperation['to']): boolean {
  if (!('members' in document && 'users' in to)) return true;
  const members = document.members as string[];
  return to.users.every((user) => members.includes(user));
}

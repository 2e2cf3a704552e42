/**
 * What two people's documents of each other come to. A contact is two documents, and there are no transactions: every
 * command begins with one conditional write of a single document, which decides; the rest follows from what the two
 * documents then say, by the rules below. So what completes a command is also what completes or undoes one whose
 * process died in the middle, whoever touches the pair next. See docs/data.md, "Contacts".
 */
import type { ContactDocument } from '../model/documents/contacts.ts';

type Side = Pick<ContactDocument, 'status' | 'direction'>;

/** What is to be done next with a pair. */
export type Step<D extends Side = ContactDocument> =
  /** The one who is asked has no document of it yet. */
  { kind: 'deliver'; request: D } | { kind: 'accept'; contact: D } | { kind: 'remove'; contact: D };

const isRequest = ({ status, direction }: Side) => status === 'pending' && direction === 'out';
const isAsked = ({ status, direction }: Side) => status === 'pending' && direction === 'in';
const isBlock = ({ status }: Side) => status === 'blocked';

/**
 * The next step towards a state that needs none; it is the same whichever of the two documents is given first.
 * - A request is the document of the one who asks: without it the other's goes, without the other's it is delivered.
 * - An acceptance on one side completes itself on the other; two requests are an acceptance.
 * - A contact whose other side is gone was removed.
 * - Beside a block there is nothing but another block.
 */
export function nextStep<D extends Side>(one: D | undefined, other: D | undefined): Step<D> | undefined {
  const lone = one ?? other;
  if (!lone) return undefined;
  if (!one || !other) {
    if (isBlock(lone)) return undefined;
    return isRequest(lone) ? { kind: 'deliver', request: lone } : { kind: 'remove', contact: lone };
  }
  if (isBlock(one) || isBlock(other)) {
    if (isBlock(one) && isBlock(other)) return undefined;
    return { kind: 'remove', contact: isBlock(one) ? other : one };
  }
  if (one.status === 'accepted' && other.status === 'accepted') return undefined;
  if (isAsked(one) && isAsked(other)) return { kind: 'remove', contact: one };
  if (isAsked(one) !== isAsked(other) && isRequest(one) !== isRequest(other)) return undefined;
  return { kind: 'accept', contact: one.status === 'pending' ? one : other };
}

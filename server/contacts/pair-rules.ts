/**
 * What the two documents of a pair lead to. A contact is two documents, one per direction, and there are no
 * transactions. So every command begins with one conditional write of a single document, which decides; the rest follows
 * from what the two documents then say, by the rules below. The same rules complete or undo a command whose process died
 * halfway, whoever touches the pair next. See docs/data.md, "Contacts".
 */
import type { ContactDocument } from '../model/documents/contacts.ts';

type Side = Pick<ContactDocument, 'status' | 'direction'>;

/** What to do next with a pair. */
export type Step<D extends Side = ContactDocument> =
  /** Insert the document of the user who is asked. */
  { kind: 'deliver'; request: D } | { kind: 'accept'; contact: D } | { kind: 'remove'; contact: D };

/** Whether the owner of the document has asked the other user. */
function isRequest({ status, direction }: Side): boolean {
  return status === 'pending' && direction === 'out';
}

/** Whether the owner of the document is asked by the other user. */
export function isAsked(side: Side | undefined): boolean {
  return side?.status === 'pending' && side.direction === 'in';
}

const isBlock = ({ status }: Side) => status === 'blocked';

/**
 * The next step towards a state that needs none; it is the same whichever of the two documents comes first.
 * - The document of the user who asks is the request: without it the other document goes; without the other, the request
 *   is delivered.
 * - An acceptance on one side completes itself on the other; two requests are an acceptance.
 * - A contact whose other side is gone was removed.
 * - Beside a block there is nothing but another block.
 * @returns undefined if the documents fit together
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

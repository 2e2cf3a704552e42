/** What is pushed of a contact request. Pure: what it rests on was read just before. */
import type { ContactDocument } from '../../model/documents/contacts.ts';
import type { Person } from '../payloads.ts';
import { beginningOf, collapseOf, type Decision, LONGEST_TTL_S, type Situation } from './decision.ts';

/** The time of a request that is to be pushed; undefined where there is none. */
export function requestToPush(
  { job, subscription, wantsPush, isConnected }: Situation,
  contact: ContactDocument | undefined,
): Date | undefined {
  if (contact?.status !== 'pending' || contact.direction !== 'in') return undefined;
  const { created_at } = contact;
  const isNew = created_at.getTime() > (job.told ?? 0) && created_at >= beginningOf(subscription);
  return isNew && wantsPush && !isConnected ? created_at : undefined;
}

/** @param asked when */
export function requestPush({ job }: Situation, asked: Date, from: Person, badge: number): Decision {
  const payload = { type: 'contact_request' as const, from, badge };
  const push = { payload, collapse: collapseOf(job), ttlS: LONGEST_TTL_S, urgency: 'normal' as const };
  return { kind: 'push', push, noted: { told: asked.getTime() } };
}

/** Passes a request over. */
export function passOver({ job }: Situation, contact: ContactDocument | undefined): Decision {
  return { kind: 'skip', noted: { told: Math.max(job.told ?? 0, contact?.created_at.getTime() ?? 0) } };
}

import { ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import type { ContactDocument } from '../../server/model/documents/contacts.ts';
import type { Situation } from '../../server/push/decide/decision.ts';
import { requestToPush } from '../../server/push/decide/request-decision.ts';

const since = new Date('2026-05-24T18:30:00.000Z');
const at = (ms: number) => new Date(since.getTime() + ms);
const situation = (job: object = {}) =>
  ({ job, subscription: { since }, wantsPush: true, isConnected: false }) as unknown as Situation;
const contact = (created_at: Date, more: Partial<ContactDocument> = {}) =>
  ({ _id: new ObjectId(), status: 'pending', direction: 'in', created_at, ...more }) as ContactDocument;

it.each([
  ['after the subscription', contact(at(5000)), {}, true],
  ['right after it, by the clock of another node', contact(at(-50)), {}, true],
  ['before it', contact(at(-1000)), {}, false],
  ['that was pushed', contact(at(5000)), { told: at(5000).getTime() }, false],
  ['again, after an earlier one', contact(at(9000)), { told: at(5000).getTime() }, true],
  ['that was answered by then', contact(at(5000), { status: 'accepted' }), {}, false],
  ["of one's own", contact(at(5000), { direction: 'out' }), {}, false],
  ['that was withdrawn by then', undefined, {}, false],
])('a request %s is pushed, or not', (_when, request, job, isPushed) => {
  expect(requestToPush(situation(job), request)).toEqual(isPushed ? request!.created_at : undefined);
});

/** Finds open calls that collide with a new one: glare, a second call in a group, and busy users. */

import { ContractError, conflict } from '../lib/errors.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import { type Call, seatOf } from './call.ts';
import type { Changes } from './changes.ts';
import { overdue } from './deadline.ts';
import type { OpenCalls } from './open-calls.ts';

export interface CollisionOptions {
  openCalls: Pick<OpenCalls, 'around'>;
  changes: Pick<Changes, 'applyOverdue'>;
  clock(): Date;
}

/**
 * Looks for collisions after letting overdue calls end.
 * @returns the callees who are in a call
 * @throws ContractError `busy` when the caller is in a call; `conflict` with `details.call_id` when the conversation
 * has one
 */
export async function findBusyCallees(
  { openCalls, changes, clock }: CollisionOptions,
  conversation: Pick<ConversationRef, 'id' | 'kind'>,
  callerId: string,
  calleeIds: string[],
): Promise<string[]> {
  const found = await openCalls.around(conversation.id, [callerId, ...calleeIds]);
  const now = clock();
  const settled = await Promise.all(found.map((call) => (overdue(call, now) ? changes.applyOverdue(call.id) : call)));
  const open = settled.filter((call) => call.seats.length > 0);
  const isIn = (userId: string) => (call: Call) => seatOf(call, userId) !== undefined;
  const here = open.find((call) => call.conversation_id === conversation.id);
  const mine = open.find(isIn(callerId));
  // A caller who is already in this group's call is told its id; one who is in this pair's call is busy.
  if (mine && !(conversation.kind === 'group' && mine === here)) {
    throw new ContractError('busy', 'you are already in a call');
  }
  if (here) throw conflict('this conversation already has a call', { call_id: here.id });
  return calleeIds.filter((id) => open.some(isIn(id)));
}

/** Changes stored messages of one conversation under its next `rev`s, by one write; tells the bus, and settles each. */
import type { LRUCache } from 'lru-cache';
import type { Bus } from '../bus/bus.ts';
import type { Change } from '../bus/operations.ts';
import type { Stored } from '../conversations/message-inserts.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { NewestMessages, Position } from '../conversations/newest-messages.ts';
import type { Actors } from '../delivery/actors.ts';
import { inTime } from '../lib/deadline.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { isDuplicate, refusalError } from '../model/failures.ts';
import { toWireMessage } from '../model/views/message.ts';
import { whileActing } from './acting.ts';
import { type Amendment, type Outcome, type Plan, planAmendments, type Step, updateOf } from './amendment.ts';
import { MAX_ATTEMPTS, newestPosition, type PositionsOptions, tooBusy } from './positions.ts';
import type { SummaryWriter } from './summary-writer.ts';

/** An amendment that waits for its turn. */
export interface AmendTask extends Amendment {
  resolve(message: MessageDocument): void;
  reject(error: unknown): void;
}

export interface AmendParts extends PositionsOptions {
  store: Pick<MessageStore, 'amend' | 'findAll' | 'show' | 'newest' | 'open' | 'countPinned' | 'withThreads'>;
  newest: Pick<NewestMessages, 'position' | 'learn' | 'note' | 'forget'>;
  summaries: Pick<SummaryWriter, 'changed'>;
  bus: Pick<Bus, 'changes' | 'heal'>;
  actors: Pick<Actors, 'note' | 'forget'>;
  /** Messages as this node has lately changed them, by id: those of waiting amendments were read before that. */
  amended: Pick<LRUCache<string, MessageDocument>, 'get' | 'set'>;
  /** Keeps the texts that steps replace, where that is wanted. */
  keepTexts?: ((steps: readonly Step[]) => Promise<void>) | undefined;
  clock(): Date;
}

/**
 * Carries amendments out in their order and resolves or rejects each task. Whatever another writer changed in between is
 * decided again. Never rejects itself.
 * @param tasks amendments of one conversation
 */
export async function amendBatch(parts: AmendParts, tasks: AmendTask[]): Promise<void> {
  const { conversation } = tasks[0]!;
  const { store, newest, bus, clock } = parts;
  const found = newestKnown(parts.amended, tasks);
  let rest = tasks;
  try {
    for (let attempt = 0; rest.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw tooBusy();
      rest = inTime(rest, tooBusy);
      if (rest.length === 0) return;
      const position = await newestPosition(parts, conversation);
      const plan = planAmendments(rest, found, {
        at: clock(),
        rev: position.rev,
        pinned: rest.some(({ countsPins }) => countsPins) ? await store.countPinned(conversation) : 0,
      });
      if (plan.steps.some(({ before, firstRev }) => before.rev >= firstRev)) {
        // Another node was here. The unique index would not refuse to give a message a rev that it already has.
        newest.forget(conversation);
        continue;
      }
      // What already is as it should be may be this node's own change, whose answer was lost.
      if (attempt > 0 && plan.outcomes.some(({ isChange }) => !isChange)) bus.heal(conversation);
      const { count, refusal } = await carryOut(parts, conversation, plan);
      // The messages of threads are told with these. Who asked for a change adds them to its own answer.
      const shown = await store.withThreads(plan.steps.slice(0, count).map(({ after }) => after));
      rest = settle(parts, conversation, plan, shown, position);
      if (refusal) await lookAgain(parts, conversation, rest, found, refusal);
    }
  } catch (error) {
    // The store may have changed them all the same.
    newest.forget(conversation);
    bus.heal(conversation);
    for (const task of rest) task.reject(error);
  }
}

function newestKnown(amended: AmendParts['amended'], tasks: readonly AmendTask[]): Map<string, MessageDocument> {
  const found = new Map<string, MessageDocument>();
  for (const { message } of tasks) {
    const id = message._id.toHexString();
    const known = amended.get(id);
    if (known) found.set(id, known);
  }
  return found;
}

async function carryOut(parts: AmendParts, conversation: ConversationRef, plan: Plan<AmendTask>): Promise<Stored> {
  const { steps } = plan;
  if (steps.length === 0) return { count: 0 };
  await parts.keepTexts?.(steps);
  const acting = steps.map((step) => ({ message: step.after, socket: lastActor(plan, step)?.socket }));
  const updates = steps.map((step) => ({ ...step, update: updateOf(step) }));
  return whileActing(parts.actors, acting, () => parts.store.amend(conversation, updates));
}

/**
 * Tells of the steps that are stored, and settles the tasks that rest on no other steps.
 * @param shown the messages as the steps that are stored leave them, as they are told
 * @returns the tasks that must be tried again
 */
function settle(
  { newest, bus, summaries, amended }: AmendParts,
  conversation: ConversationRef,
  plan: Plan<AmendTask>,
  shown: readonly MessageDocument[],
  { seq }: Position,
): AmendTask[] {
  const count = shown.length;
  const done = plan.steps.slice(0, count);
  if (done.length > 0) {
    const changes = done.map((step, i) => changeOf(plan, step, shown[i]!, seq));
    for (const { after } of done) amended.set(after._id.toHexString(), after);
    newest.note(conversation, changes);
    bus.changes(conversation, changes);
  }
  const settled = plan.outcomes.filter(({ steps }) => steps <= count);
  const last = newestOf(settled);
  // A change is acknowledged when the summary is written; a change that was there already may be stored without it.
  const summary = last ? summaries.changed(conversation, last.rev, last.updated_at) : Promise.resolve();
  summary.then(
    () => settled.forEach(answer),
    (error: unknown) => {
      for (const { amendment } of settled) amendment.reject(error);
    },
  );
  return plan.outcomes.slice(settled.length).map(({ amendment }) => amendment);
}

function answer({ amendment, message, refusal }: Outcome<AmendTask>): void {
  if (message) amendment.resolve(message);
  else amendment.reject(refusal);
}

function newestOf(outcomes: readonly Outcome[]): MessageDocument | undefined {
  return outcomes.reduce<MessageDocument | undefined>(
    (newest, { message }) => (message && message.rev > (newest?.rev ?? 0) ? message : newest),
    undefined,
  );
}

function changeOf(plan: Plan<AmendTask>, step: Step, shown: MessageDocument, last_seq: number): Change {
  const { after, firstRev } = step;
  const actor = lastActor(plan, step);
  return {
    rev: after.rev,
    ...(firstRev === after.rev ? {} : { first_rev: firstRev }),
    message: toWireMessage(shown),
    is_new: false,
    last_seq,
    except_socket: actor?.socket,
    ...(actor?.by === undefined ? {} : { by: actor.by }),
  };
}

/** The task whose acknowledgement says all that a step changes. Others of the step learn of what came after theirs. */
function lastActor({ outcomes }: Plan<AmendTask>, { after }: Step): AmendTask | undefined {
  return outcomes.find(({ isChange, message }) => isChange && message === after)?.amendment;
}

/**
 * Reads the messages as another writer has left them.
 * @throws the refusal where nobody has changed anything
 */
async function lookAgain(
  parts: AmendParts,
  conversation: ConversationRef,
  rest: AmendTask[],
  found: Map<string, MessageDocument>,
  refusal: NonNullable<Stored['refusal']>,
): Promise<void> {
  parts.newest.forget(conversation);
  const ids = new Map(rest.map(({ message }) => [message._id.toHexString(), message._id]));
  const messages = await parts.store.show(await parts.store.findAll(conversation, [...ids.values()]));
  for (const message of messages) found.set(message._id.toHexString(), message);
  const isChanged = rest.some(({ message }) => (found.get(message._id.toHexString())?.rev ?? 0) > message.rev);
  if (!isDuplicate(refusal) && !isChanged) throw refusalError(refusal);
}

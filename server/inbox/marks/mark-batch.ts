/** Raises marks of many users in many conversations by one durable write (group commit). */
import type { Bus } from '../../bus/bus.ts';
import { inTime } from '../../lib/deadline.ts';
import { notFound, unavailable } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { ConversationRef } from '../../model/conversation-ref.ts';
import { findMarkAudience, type MarkAudience, type MarkAudienceSources } from './mark-audience.ts';
import { areSame, grows, type MarkState, raised, type Wanted } from './mark-state.ts';
import type { MarkKey, MarkStore, MarkWrite } from './mark-store.ts';
import { tellSenders } from './tell-senders.ts';

/** How often a write may find that another node was first, before its user is asked to try again. */
const MAX_ATTEMPTS = 20;

/** What became of a mark. */
export interface Raised {
  /** Whether it grew. */
  grew: boolean;
  readSeq: number;
}

/** A mark that is to be raised. */
export interface MarkTask {
  conversation: ConversationRef;
  key: MarkKey;
  /** In a pair: a block lies between the two. */
  isBlocked: boolean;
  /** Messages up to this `seq` are not visible to the user. */
  fromSeq: number;
  wanted: Wanted;
  /** When the answer is due, by `performance.now()`. */
  dueAt: number | undefined;
  resolve(raised: Raised): void;
  reject(error: unknown): void;
}

export interface MarkBatchParts extends MarkAudienceSources {
  marks: Pick<MarkStore, 'find' | 'write'>;
  bus: Pick<Bus, 'emit'>;
  /** Stored messages are behind the marks of these conversations. */
  onUnsettled(conversationId: string): void;
  clock(): Date;
}

/** All tasks on one user's marks in one conversation: they are raised together. */
interface Place {
  tasks: [MarkTask, ...MarkTask[]];
  wanted: Wanted;
}

interface Plan extends MarkWrite {
  place: Place;
  audience: MarkAudience;
}

/** Raises marks and settles each task. Never rejects itself. */
export async function raiseMarks(parts: MarkBatchParts, tasks: MarkTask[]): Promise<void> {
  let places = placesOf(inTime(tasks, () => unavailable('too much to do; nothing was changed')));
  try {
    for (let attempt = 0; places.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw unavailable('too many change these marks at once; try again');
      places = await attemptAll(parts, places);
    }
  } catch (error) {
    for (const place of places) for (const task of place.tasks) task.reject(error);
  }
}

/** @returns those of which another node raised the marks in the meantime */
async function attemptAll(parts: MarkBatchParts, places: Place[]): Promise<Place[]> {
  const states = await parts.marks.find(places.map(({ tasks: [{ key }] }) => key));
  const planned = await Promise.all(places.map((place, i) => plan(parts, place, states[i])));
  const plans = planned.filter((one) => one !== undefined);
  if (plans.length === 0) return [];
  const at = parts.clock();
  const written = await parts.marks.write(plans, at);
  for (const [i, one] of plans.entries()) {
    const stored = written[i];
    if (stored) settle(parts, one, stored, at);
  }
  return plans.flatMap(({ place }, i) => (written[i] ? [] : place));
}

/** @returns what is to be written; undefined where the tasks are settled without that */
async function plan(parts: MarkBatchParts, place: Place, before: MarkState | undefined): Promise<Plan | undefined> {
  const { tasks, wanted } = place;
  const { conversation, key, fromSeq, isBlocked } = tasks.at(-1)!;
  if (!before) {
    for (const task of tasks) task.reject(notFound('nothing was written in this conversation yet'));
    return undefined;
  }
  if (!grows(before, wanted)) {
    for (const task of tasks) task.resolve({ grew: false, readSeq: before.read_seq });
    return undefined;
  }
  const lowest =
    wanted.readTo > before.read_seq ? Math.min(before.delivered_seq, before.read_seq) : before.delivered_seq;
  const upTo = Math.max(wanted.readTo, wanted.deliveredTo);
  const reader = key.userId.toHexString();
  const audience = await findMarkAudience(parts, conversation, reader, Math.max(lowest, fromSeq), upTo);
  const after = raised(before, wanted, {
    isBlocked,
    raisesShownMark: audience.raisesShownMark,
    except: [...audience.blind, ...audience.gone].map(fromId),
    carriesDelivery: conversation.kind === 'direct',
  });
  return { place, key, before, after, audience };
}

function settle({ bus, onUnsettled }: MarkBatchParts, plan: Plan, stored: MarkState, at: Date): void {
  const { place, before, after, audience } = plan;
  if (!areSame(stored, after)) {
    // Another node has raised them further, and told of that.
    for (const task of place.tasks) task.resolve({ grew: false, readSeq: stored.read_seq });
    return;
  }
  const { conversation, key } = place.tasks[0];
  if (after.settling_from !== undefined) onUnsettled(conversation.id);
  tellSenders(bus, { conversationId: conversation.id, userId: key.userId.toHexString() }, audience, before, after, at);
  for (const task of place.tasks) task.resolve({ grew: grows(before, task.wanted), readSeq: after.read_seq });
}

function placesOf(tasks: MarkTask[]): Place[] {
  const places = new Map<string, Place>();
  for (const task of tasks) {
    const key = `${task.key.conversationId} ${task.key.userId}`;
    const place = places.get(key);
    if (!place) {
      places.set(key, { tasks: [task], wanted: task.wanted });
      continue;
    }
    place.tasks.push(task);
    place.wanted = {
      deliveredTo: Math.max(place.wanted.deliveredTo, task.wanted.deliveredTo),
      readTo: Math.max(place.wanted.readTo, task.wanted.readTo),
    };
  }
  return [...places.values()];
}

/** Changes of stored messages: what is asked for, and the steps in which several of them are carried out. Pure. */
import type { UpdateFilter } from 'mongodb';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument, Reaction } from '../model/documents/messages.ts';
import { reactionUpdate } from './reactions.ts';

/**
 * Makes of a message what it is to become; undefined where there is nothing to change. May throw a refusal.
 */
export type Decide = (message: MessageDocument, moment: Moment) => MessageDocument | undefined;

/** The moment of a change in its conversation. */
export interface Moment {
  at: Date;
  /** The `rev` that the change takes. */
  rev: number;
  /** How many messages of the conversation are pinned; 0 where no amendment beside it asks. */
  pinned: number;
}

export interface Amendment {
  conversation: ConversationRef;
  /** As it was read last. */
  message: MessageDocument;
  decide: Decide;
  /** Whether it asks how many messages are pinned. */
  countsPins?: boolean;
  /** The socket that acts: it gets the acknowledgement instead of the event. */
  socket: string | undefined;
  /** The user who acts, and so causes what is sent. */
  by?: string;
  /** When the answer is due, by `performance.now()`; never by default. */
  dueAt?: number | undefined;
}

/** One write: a change of one message, or several reactions to it. */
export interface Step {
  before: MessageDocument;
  after: MessageDocument;
  /** The lowest `rev` that it takes; the highest is that of `after`. */
  firstRev: number;
}

/** What becomes of an amendment. */
export interface Outcome<A extends Amendment = Amendment> {
  amendment: A;
  /** How many steps must be stored for this to hold. */
  steps: number;
  /** The message as this leaves it; undefined where it is refused. */
  message?: MessageDocument;
  /** Whether the message is changed. */
  isChange: boolean;
  refusal?: unknown;
}

export interface Plan<A extends Amendment = Amendment> {
  steps: Step[];
  outcomes: Outcome<A>[];
}

/**
 * Decides amendments of one conversation one after the other. Each takes the next `rev`; reactions to one message that
 * follow each other are one step where one update can make them.
 * @param found newer states of messages than the amendments carry, by id
 * @param newest the conversation's highest `rev`, how many of its messages are pinned as of that, and the time
 */
export function planAmendments<A extends Amendment>(
  amendments: readonly A[],
  found: ReadonlyMap<string, MessageDocument>,
  newest: Moment,
): Plan<A> {
  const current = new Map(found);
  const steps: Step[] = [];
  const outcomes: Outcome<A>[] = [];
  const moment = { ...newest, rev: newest.rev + 1 };

  /** The step that a change becomes part of: the last one, or a new one. */
  function add(before: MessageDocument, after: MessageDocument): MessageDocument {
    const stamped = { ...after, rev: moment.rev++, updated_at: moment.at };
    moment.pinned += Number(after.pinned !== undefined) - Number(before.pinned !== undefined);
    const last = steps.at(-1);
    const merged = last?.after === before && { ...last, after: stamped };
    if (merged && isReaction(merged) && isReaction(last!) && reactionsOf(merged)) steps[steps.length - 1] = merged;
    else steps.push({ before, after: stamped, firstRev: stamped.rev });
    return stamped;
  }

  for (const amendment of amendments) {
    const id = amendment.message._id.toHexString();
    const known = current.get(id);
    const message = newerOf(amendment.message, known);
    try {
      const decided = amendment.decide(message, moment);
      const after = decided ? add(message, decided) : message;
      current.set(id, after);
      outcomes.push({ amendment, steps: steps.length, message: after, isChange: decided !== undefined });
    } catch (refusal) {
      outcomes.push({ amendment, steps: steps.length, isChange: false, refusal });
    }
  }
  return { steps, outcomes };
}

/** The newer state of a message. Having a thread is no change of it, and may be known only of the older state. */
function newerOf(message: MessageDocument, known: MessageDocument | undefined): MessageDocument {
  if (!known || known.rev <= message.rev) return message;
  return message.has_thread && !known.has_thread ? { ...known, has_thread: true } : known;
}

/** The fields that an amendment may change, besides reactions. */
const FIELDS = [
  'content',
  'terms',
  'edited_at',
  'is_deleted',
  'attachment',
  'metadata',
  'text_ids',
  'pinned',
  'forwarded',
  'mentions',
  'mentioned',
] as const;

function isReaction({ before, after }: Pick<Step, 'before' | 'after'>): boolean {
  return FIELDS.every((field) => before[field] === after[field]);
}

function reactionsOf({ before, after }: Pick<Step, 'before' | 'after'>): UpdateFilter<MessageDocument> | undefined {
  return reactionUpdate(before.reactions ?? [], after.reactions ?? []);
}

/** The update that takes a step, without its `rev`. */
export function updateOf({ before, after }: Step): UpdateFilter<MessageDocument> {
  const $set: Partial<MessageDocument> = { updated_at: after.updated_at };
  const $unset: Record<string, true> = {};
  for (const field of FIELDS) {
    if (after[field] === before[field]) continue;
    if (after[field] === undefined) $unset[field] = true;
    else Object.assign($set, { [field]: after[field] });
  }
  if (after.reactions === undefined && before.reactions !== undefined) $unset.reactions = true;
  const reactions = after.reactions === before.reactions || $unset.reactions ? {} : changeOf(before, after.reactions!);
  return {
    ...reactions,
    $set: { ...reactions.$set, ...$set },
    ...(Object.keys($unset).length > 0 ? { $unset: { ...reactions.$unset, ...$unset } } : {}),
  };
}

function changeOf(before: MessageDocument, after: Reaction[]): UpdateFilter<MessageDocument> {
  return reactionUpdate(before.reactions ?? [], after) ?? { $set: { reactions: after } };
}

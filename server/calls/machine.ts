/**
 * The state machine of calls (PROTOCOL section 8) as a table: in which state, on which event, under which guard, what
 * becomes of the call, and what is told to whom. Pure: the store makes each transition one conditional update, and
 * `docs/calls.md` is drawn from the same table.
 */
import type { CallReason } from '../../shared/contract/calls.ts';
import type { ErrorCode } from '../../shared/contract/errors.ts';
import {
  type Call,
  type CallStatus,
  type Device,
  type Due,
  deviceOf,
  isUnanswered,
  type Notice,
  seatOf,
} from './call.ts';

export type CallEvent =
  | { type: 'ringing' | 'reject' | 'leave' | 'remove'; user: string }
  | { type: 'accept' | 'join'; user: string; device: Device }
  | { type: 'disconnect'; user: string; device: Device; until: Date }
  | { type: 'block' | 'close' }
  | Due;

export type Outcome =
  | { kind: 'refused'; code: Extract<ErrorCode, 'forbidden' | 'conflict' | 'busy'>; message: string }
  | { kind: 'unchanged' }
  | { kind: 'changed'; call: Call; notices: Notice[] };

/** What a row looks at. */
interface Situation {
  call: Call;
  event: CallEvent;
  /** The user whom the event is about; empty for events about the call itself. */
  user: string;
  /** The device that acts or was lost. */
  device: Device | undefined;
  now: Date;
  /** How many may be in a group's call at once. */
  max: number;
}

interface Row {
  on: CallEvent['type'][];
  in: readonly CallStatus[];
  /** Names of guards; all must hold. */
  when?: GuardName[];
  /** The state that follows; without it, and without `refuse`, the state stays. */
  to?: CallStatus;
  /** What else becomes of the call. */
  change?: (draft: Call, situation: Situation) => void;
  /** Why everybody concerned is told; without it nobody is. */
  tell?: CallReason;
  refuse?: { code: Extract<ErrorCode, 'forbidden' | 'conflict' | 'busy'>; message: string };
}

const OPEN = ['initiated', 'ringing', 'ongoing'] as const;
const UNANSWERED = ['initiated', 'ringing'] as const;
const OVER = ['ended', 'missed', 'rejected'] as const;
const ANY = [...OPEN, ...OVER] as const;

/** More stays than any people need: a call's document stays a document. */
const MAX_STAYS = 1000;
/** When more than this many members miss a call at once, each is told of its own only, and those in the call of all. */
const MAX_TOLD_OF_EACH_OTHER = 32;

/** What rows ask, by the names that the drawing shows. */
const guards = {
  direct: ({ call }) => call.kind === 'direct',
  group: ({ call }) => call.kind === 'group',
  caller: ({ call, user }) => call.caller_id === user,
  rings: ({ call, user }) => call.ringing_ids.includes(user),
  'last that rings': ({ call }) => call.ringing_ids.length === 1,
  'others were called': ({ call, user }) => call.told_ids.some((id) => id !== user && id !== call.caller_id),
  'in call': ({ call, user }) => seatOf(call, user) !== undefined,
  'alone in call': ({ call }) => call.seats.length === 1,
  'this device': ({ call, user, device }) => deviceOf(seatOf(call, user))?.socket_id === device?.socket_id,
  full: ({ call, max }) => call.seats.length >= max || call.participants.length >= MAX_STAYS,
} satisfies Record<string, (situation: Situation) => boolean>;

type GuardName = keyof typeof guards;

const conflict = (message: string) => ({ code: 'conflict' as const, message });
const LEAVING: CallEvent['type'][] = ['leave', 'grace_over', 'remove'];

/** The first row that fits is taken; none that fits: nothing changes. */
export const TABLE: readonly Row[] = [
  // A callee's device says that it rings. Late ones change nothing.
  { on: ['ringing'], in: ANY, when: ['caller'], refuse: { code: 'forbidden', message: 'the caller does not ring' } },
  { on: ['ringing'], in: ['initiated'], when: ['rings'], to: 'ringing', tell: 'ringing' },

  // Answering.
  { on: ['accept'], in: ANY, when: ['caller'], refuse: { code: 'forbidden', message: 'the caller cannot accept' } },
  { on: ['accept', 'join'], in: OVER, refuse: conflict('the call is over') },
  { on: ['accept'], in: OPEN, when: ['in call'], refuse: conflict('answered on another device') },
  { on: ['accept'], in: UNANSWERED, when: ['direct', 'rings'], to: 'ongoing', change: answer, tell: 'accepted' },

  // Coming back, or taking over on another device.
  { on: ['join'], in: OPEN, when: ['in call', 'this device'] },
  { on: ['join'], in: OPEN, when: ['in call'], change: takeOver, tell: 'moved' },
  { on: ['accept', 'join'], in: OPEN, when: ['direct'], refuse: conflict('the call is not under way') },

  // A group's call: the first answer makes it ongoing, later ones join.
  { on: ['accept', 'join'], in: OPEN, when: ['full'], refuse: { code: 'busy', message: 'the call is full' } },
  { on: ['accept', 'join'], in: UNANSWERED, when: ['group'], to: 'ongoing', change: answer, tell: 'accepted' },
  { on: ['accept', 'join'], in: ['ongoing'], when: ['group'], change: enter, tell: 'joined' },

  // Declining; hanging up while it rings is the same.
  { on: ['reject'], in: ANY, when: ['caller'], refuse: { code: 'forbidden', message: 'the caller cannot reject' } },
  { on: ['reject', 'leave'], in: UNANSWERED, when: ['rings', 'last that rings'], to: 'rejected', tell: 'rejected' },
  { on: ['reject', 'leave'], in: OPEN, when: ['rings'], change: stopRinging, tell: 'rejected' },
  { on: ['reject'], in: ANY, refuse: conflict('the call does not ring for you') },

  // Giving up before an answer; leaving; what a lost connection or a removal from the group comes to.
  { on: LEAVING, in: UNANSWERED, when: ['caller'], to: 'missed', change: exit, tell: 'cancelled' },
  { on: LEAVING, in: ['ongoing'], when: ['direct', 'in call'], to: 'ended', change: exit, tell: 'ended' },
  { on: LEAVING, in: ['ongoing'], when: ['in call', 'alone in call'], to: 'ended', change: exit, tell: 'ended' },
  { on: LEAVING, in: ['ongoing'], when: ['in call'], change: exit, tell: 'left' },

  // A member who is removed while it rings: those who are left have all declined, or nobody is.
  {
    on: ['remove'],
    in: UNANSWERED,
    when: ['rings', 'last that rings', 'others were called'],
    to: 'rejected',
    change: stopRinging,
    tell: 'rejected',
  },
  {
    on: ['remove'],
    in: UNANSWERED,
    when: ['rings', 'last that rings'],
    to: 'missed',
    change: stopRinging,
    tell: 'missed',
  },
  { on: ['remove'], in: OPEN, change: stopRinging },

  // A connection is lost: the grace begins.
  { on: ['disconnect'], in: OPEN, when: ['in call', 'this device'], change: lose },

  // Time.
  { on: ['ring_timeout'], in: UNANSWERED, to: 'missed', tell: 'missed' },
  { on: ['ring_timeout'], in: ['ongoing'], change: stopRinging, tell: 'missed' },

  // A block between the two of a pair, the end of a group. To the blocked one it looks as if nobody had answered.
  { on: ['block', 'close'], in: UNANSWERED, to: 'missed', tell: 'missed' },
  { on: ['block', 'close'], in: ['ongoing'], to: 'ended', tell: 'ended' },
];

/**
 * What an event does to a call.
 * @param now when it happens: stamps joining, leaving and ending
 * @param max how many may be in a group's call at once
 */
export function transition(call: Call, event: CallEvent, now: Date, max: number): Outcome {
  const user = 'user' in event ? event.user : '';
  const device = 'device' in event ? event.device : undefined;
  const situation: Situation = { call, event, user, device, now, max };
  const row = TABLE.find(
    (candidate) =>
      candidate.on.includes(event.type) &&
      candidate.in.includes(call.status) &&
      (candidate.when ?? []).every((name) => guards[name](situation)),
  );
  if (!row) return { kind: 'unchanged' };
  if (row.refuse) return { kind: 'refused', ...row.refuse };
  if (!row.change && !row.to) return { kind: 'unchanged' };

  const draft: Call = {
    ...call,
    participants: call.participants.map((stay) => ({ ...stay })),
    seats: [...call.seats],
    ringing_ids: [...call.ringing_ids],
    told_ids: [...call.told_ids],
    version: call.version + 1,
  };
  if (row.to) draft.status = row.to;
  row.change?.(draft, situation);
  if (event.type === 'remove') draft.told_ids = draft.told_ids.filter((id) => id !== user);
  if (OVER.some((status) => status === draft.status)) finish(draft, now);
  // Before an answer the time to ring runs though nobody rings: the caller waits no longer than that.
  if (!isUnanswered(draft) && draft.ringing_ids.length === 0) delete draft.ring_until;
  return { kind: 'changed', call: draft, notices: row.tell ? noticesOf(row.tell, draft, situation) : [] };
}

function answer(draft: Call, situation: Situation): void {
  draft.answered_at = situation.now;
  enter(draft, situation);
}

function enter(draft: Call, { user, device, now }: Situation): void {
  draft.participants.push({ user_id: user, joined_at: now });
  draft.seats.push({ user_id: user, ...device! });
  draft.ringing_ids = draft.ringing_ids.filter((id) => id !== user);
  if (!draft.told_ids.includes(user)) draft.told_ids.push(user);
}

function takeOver(draft: Call, { user, device }: Situation): void {
  draft.seats = draft.seats.map((seat) => (seat.user_id === user ? { user_id: user, ...device! } : seat));
}

function lose(draft: Call, { user, event }: Situation): void {
  if (event.type !== 'disconnect') return;
  draft.seats = draft.seats.map((seat) => (seat.user_id === user ? { user_id: user, lost_until: event.until } : seat));
}

function exit(draft: Call, { user, now }: Situation): void {
  draft.seats = draft.seats.filter((seat) => seat.user_id !== user);
  for (const stay of draft.participants) if (stay.user_id === user && !stay.left_at) stay.left_at = now;
}

/** One callee's devices fall silent; at the timeout everyone's. */
function stopRinging(draft: Call, { user, event }: Situation): void {
  draft.ringing_ids = event.type === 'ring_timeout' ? [] : draft.ringing_ids.filter((id) => id !== user);
}

function finish(draft: Call, now: Date): void {
  draft.ended_at = now;
  draft.seats = [];
  draft.ringing_ids = [];
  for (const stay of draft.participants) stay.left_at ??= now;
}

function noticesOf(reason: CallReason, after: Call, { call: before, event, user }: Situation): Notice[] {
  const everyone = after.told_ids;
  if (event.type === 'ring_timeout' && after.status === 'ongoing') {
    const few = before.ringing_ids.length <= MAX_TOLD_OF_EACH_OTHER;
    const inCall = after.seats.map((seat) => seat.user_id);
    return before.ringing_ids.map((id) => ({ to: few ? everyone : [id, ...inCall], reason, user_id: id }));
  }
  // What the caller of a call that is over is told of a removal names nobody: the members learn of it elsewhere.
  const about = user === '' || (event.type === 'remove' && reason !== 'left') ? {} : { user_id: user };
  const answered = (reason === 'accepted' || reason === 'joined') && before.ringing_ids.includes(user);
  if (!answered) return [{ to: everyone, reason, ...about }];
  return [
    { to: everyone.filter((id) => id !== user), reason, ...about },
    { to: [user], reason: 'answered_elsewhere', ...about },
  ];
}

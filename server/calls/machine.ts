/**
 * The state machine of calls (protocol, section 8) as a table: which event, in which states and under which guards, leads
 * to which state, effect and notice. Pure: `changes.ts` makes each transition one conditional update, and
 * `docs/calls-states.md` is drawn from the table.
 */
import type { CallReason } from '../../shared/contract/calls.ts';
import type { ErrorCode } from '../../shared/contract/errors.ts';
import {
  type Call,
  type CallStatus,
  type Device,
  deviceOf,
  isOver,
  isUnanswered,
  type Notice,
  seatOf,
} from './call.ts';
import type { CallEvent } from './event.ts';

interface Refusal {
  code: Extract<ErrorCode, 'forbidden' | 'conflict' | 'busy'>;
  message: string;
}

export type Outcome =
  | ({ kind: 'refused' } & Refusal)
  | { kind: 'unchanged' }
  | { kind: 'changed'; call: Call; notices: Notice[] };

/** What guards and effects look at. */
interface Situation {
  call: Call;
  event: CallEvent;
  /** The user whom the event is about; empty when it is about the call itself. */
  user: string;
  /** The device that takes a seat, leaves or was lost. */
  device: Device | undefined;
  now: Date;
  /** How many users may be in a group's call at once. */
  max: number;
}

interface Row {
  on: CallEvent['type'][];
  in: readonly CallStatus[];
  /** All of these guards must hold. */
  when?: GuardName[];
  refuse?: Refusal;
  /** The next state; the state stays when it is left out. */
  to?: CallStatus;
  /** What else changes. */
  effect?: (draft: Call, situation: Situation) => void;
  /** The reason that everyone concerned is told; nobody is told when it is left out. */
  tell?: CallReason;
}

const OPEN = ['initiated', 'ringing', 'ongoing'] as const;
const UNANSWERED = ['initiated', 'ringing'] as const;
const OVER = ['ended', 'missed', 'rejected'] as const;
const ANY = [...OPEN, ...OVER] as const;

/** Keeps the document small; far more stays than people need. */
const MAX_STAYS = 1000;
/** When more members than this miss a call at once, each is told only of their own miss; those in the call, of all. */
const MAX_TOLD_OF_EACH_OTHER = 32;

/** Named as the drawing shows them. */
const guards = {
  direct: ({ call }) => call.kind === 'direct',
  group: ({ call }) => call.kind === 'group',
  caller: ({ call, user }) => call.caller_id === user,
  'being rung': ({ call, user }) => call.ringing_ids.includes(user),
  'last one rung': ({ call }) => call.ringing_ids.length === 1,
  'others were called': ({ call, user }) => call.told_ids.some((id) => id !== user && id !== call.caller_id),
  'in call': ({ call, user }) => seatOf(call, user) !== undefined,
  'alone in call': ({ call }) => call.seats.length === 1,
  'this device': ({ call, user, device }) => deviceOf(seatOf(call, user))?.socket_id === device?.socket_id,
  'on another device': ({ call, user, device }) => {
    const holder = deviceOf(seatOf(call, user));
    return holder !== undefined && holder.socket_id !== device?.socket_id;
  },
  full: ({ call, max }) => call.seats.length >= max || call.participants.length >= MAX_STAYS,
} satisfies Record<string, (situation: Situation) => boolean>;

type GuardName = keyof typeof guards;

const forbidden = (message: string): Refusal => ({ code: 'forbidden', message });
const conflict = (message: string): Refusal => ({ code: 'conflict', message });
const LEAVING: CallEvent['type'][] = ['leave', 'grace_over', 'remove'];

/** The first row that matches applies. When none matches, nothing changes. */
export const TABLE: readonly Row[] = [
  // A callee's device says that it rings. A late one changes nothing.
  { on: ['ringing'], in: ANY, when: ['caller'], refuse: forbidden('your own call does not ring for you') },
  { on: ['ringing'], in: ['initiated'], when: ['being rung'], to: 'ringing', tell: 'ringing' },

  // Answering.
  { on: ['accept'], in: ANY, when: ['caller'], refuse: forbidden('you cannot accept your own call') },
  { on: ['accept', 'join'], in: OVER, refuse: conflict('the call is over') },
  { on: ['accept'], in: OPEN, when: ['in call'], refuse: conflict('you have already answered this call') },
  { on: ['accept'], in: UNANSWERED, when: ['direct', 'being rung'], to: 'ongoing', effect: answer, tell: 'accepted' },

  // Coming back, or moving the call to another device.
  { on: ['join'], in: OPEN, when: ['in call', 'this device'] },
  { on: ['join'], in: OPEN, when: ['in call'], effect: moveSeat, tell: 'moved' },
  { on: ['accept', 'join'], in: OPEN, when: ['direct'], refuse: conflict('the call is not ongoing') },

  // A group's call: the first answer makes it ongoing, later ones join.
  { on: ['accept', 'join'], in: OPEN, when: ['full'], refuse: { code: 'busy', message: 'the call is full' } },
  { on: ['accept', 'join'], in: UNANSWERED, when: ['group'], to: 'ongoing', effect: answer, tell: 'accepted' },
  { on: ['accept', 'join'], in: ['ongoing'], when: ['group'], effect: takeSeat, tell: 'joined' },

  // Rejecting; hanging up while it rings is the same.
  { on: ['reject'], in: ANY, when: ['caller'], refuse: forbidden('you cannot reject your own call') },
  { on: ['reject', 'leave'], in: UNANSWERED, when: ['being rung', 'last one rung'], to: 'rejected', tell: 'rejected' },
  { on: ['reject', 'leave'], in: OPEN, when: ['being rung'], effect: stopRinging, tell: 'rejected' },
  { on: ['reject'], in: ANY, refuse: conflict('the call does not ring for you') },

  // Only the device in the call leaves it. One that tidies up after `answered_elsewhere` or `moved` has nothing to leave.
  { on: ['leave'], in: OPEN, when: ['in call', 'on another device'] },

  // Giving up before an answer, or leaving. A lost connection and a removal from the group come to the same.
  { on: LEAVING, in: UNANSWERED, when: ['caller'], to: 'missed', effect: leaveSeat, tell: 'cancelled' },
  { on: LEAVING, in: ['ongoing'], when: ['direct', 'in call'], to: 'ended', effect: leaveSeat, tell: 'ended' },
  { on: LEAVING, in: ['ongoing'], when: ['in call', 'alone in call'], to: 'ended', effect: leaveSeat, tell: 'ended' },
  { on: LEAVING, in: ['ongoing'], when: ['in call'], effect: leaveSeat, tell: 'left' },

  // The last member who is being rung is removed: the others have rejected the call, or nobody else was called.
  {
    on: ['remove'],
    in: UNANSWERED,
    when: ['being rung', 'last one rung', 'others were called'],
    to: 'rejected',
    effect: stopRinging,
    tell: 'rejected',
  },
  {
    on: ['remove'],
    in: UNANSWERED,
    when: ['being rung', 'last one rung'],
    to: 'missed',
    effect: stopRinging,
    tell: 'missed',
  },
  { on: ['remove'], in: OPEN, effect: stopRinging },

  // A connection is lost: the grace period begins.
  { on: ['disconnect'], in: OPEN, when: ['in call', 'this device'], effect: startGrace },

  // Time.
  { on: ['ring_timeout'], in: UNANSWERED, to: 'missed', tell: 'missed' },
  { on: ['ring_timeout'], in: ['ongoing'], effect: stopRinging, tell: 'missed' },

  // A block between a pair, or the end of a group. To the blocked user it looks as if nobody had answered.
  { on: ['block', 'close'], in: UNANSWERED, to: 'missed', tell: 'missed' },
  { on: ['block', 'close'], in: ['ongoing'], to: 'ended', tell: 'ended' },
];

/**
 * What an event does to a call. The call itself is not modified.
 * @param now when the event happens; stamps joining, leaving and ending
 * @param max how many users may be in a group's call at once
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
  if (!row.effect && !row.to) return { kind: 'unchanged' };

  const draft: Call = {
    ...call,
    participants: call.participants.map((stay) => ({ ...stay })),
    seats: [...call.seats],
    ringing_ids: [...call.ringing_ids],
    told_ids: [...call.told_ids],
    version: call.version + 1,
  };
  if (row.to) draft.status = row.to;
  row.effect?.(draft, situation);
  if (event.type === 'remove') draft.told_ids = draft.told_ids.filter((id) => id !== user);
  if (isOver(draft)) finish(draft, now);
  // Until an answer the ring timeout stays even when nobody is rung any more: it is the longest that the caller waits.
  if (!isUnanswered(draft) && draft.ringing_ids.length === 0) delete draft.ring_until;
  return { kind: 'changed', call: draft, notices: row.tell ? noticesOf(row.tell, draft, situation) : [] };
}

function answer(draft: Call, situation: Situation): void {
  draft.answered_at = situation.now;
  takeSeat(draft, situation);
}

function takeSeat(draft: Call, { user, device, now }: Situation): void {
  draft.participants.push({ user_id: user, joined_at: now });
  draft.seats.push({ user_id: user, ...device! });
  draft.ringing_ids = draft.ringing_ids.filter((id) => id !== user);
  if (!draft.told_ids.includes(user)) draft.told_ids.push(user);
}

function moveSeat(draft: Call, { user, device }: Situation): void {
  draft.seats = draft.seats.map((seat) => (seat.user_id === user ? { user_id: user, ...device! } : seat));
}

function startGrace(draft: Call, { user, event }: Situation): void {
  if (event.type !== 'disconnect') return;
  draft.seats = draft.seats.map((seat) => (seat.user_id === user ? { user_id: user, lost_until: event.until } : seat));
}

function leaveSeat(draft: Call, { user, now }: Situation): void {
  draft.seats = draft.seats.filter((seat) => seat.user_id !== user);
  for (const stay of draft.participants) if (stay.user_id === user && !stay.left_at) stay.left_at = now;
}

/** Stops ringing for one callee, or at the ring timeout for all. */
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
  // A removal that ends the call names nobody: members learn from `group:updated` who was removed.
  const about = user === '' || (event.type === 'remove' && reason !== 'left') ? {} : { user_id: user };
  const answered = (reason === 'accepted' || reason === 'joined') && before.ringing_ids.includes(user);
  if (!answered) return [{ to: everyone, reason, ...about }];
  return [
    { to: everyone.filter((id) => id !== user), reason, ...about },
    { to: [user], reason: 'answered_elsewhere', ...about },
  ];
}

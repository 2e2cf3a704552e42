/** What a client keeps of its conversations, built from events and `sync` alone. */
import type { Conversation, Message } from '../../shared/contract/documents.ts';
import type { CommandData, EventPayload } from '../../shared/contract/index.ts';
import type { Device, Recorded } from '../support/client.ts';

interface Marks {
  delivered_seq: number;
  read_seq: number;
}

/** What is kept of one conversation. */
interface Kept {
  rev: number;
  /** An answer said that it is complete: it is named from then on, also without a message. */
  isComplete: boolean;
  /** Messages below this `seq` were left out by `newest` and come by `message:history`. */
  olderThan: number | undefined;
  messages: Map<string, Message>;
  marks: Map<string, Marks>;
  groupUpdatedAt: string;
  pinned: boolean;
}

/** How a client asks for what it missed. */
export interface SyncOptions {
  limit: number;
  useSince: boolean;
  useCursor: boolean;
  newest: number | undefined;
}

/** By conversation id. */
type KeptConversations = Map<string, Kept>;

export interface Replica {
  /** Follows a device from its connection on. Events wait until `sync` is done. */
  attach(device: Device): void;
  detach(): void;
  /** Repeats `sync` until nothing is missing. */
  sync(device: Device, options: SyncOptions): Promise<void>;
  /** Reads by `message:history` what `newest` left out. */
  readOlder(device: Device): Promise<void>;
  /**
   * The conversations in comparable form, without messages up to each `fromSeq`. A client that was away while its user
   * left a group and came back still has messages of the earlier stay, which other clients have dropped.
   */
  state(fromSeq: Map<string, number>): Record<string, ReplicaState>;
}

export interface ReplicaState {
  messages: Message[];
  unread: number;
  /** The status of the user's own messages in a pair, by the marks of the peer. */
  progress: string[];
  pinned: boolean;
}

/**
 * @param userId whose client it is
 * @param isStrict for a client that never leaves: throws where the changes of a pair come with gaps
 */
export function createReplica(userId: string, isStrict: boolean): Replica {
  const conversations: KeptConversations = new Map();
  let since: string | undefined;
  let waiting: Recorded[] | undefined;
  let detach = () => {};

  function apply(event: Recorded): void {
    if (isStrict) assertNoGap(conversations, event);
    applyEvent(conversations, userId, event);
  }

  return {
    attach({ socket }) {
      waiting = [];
      const listener = (name: Recorded['name'], payload: unknown) => {
        const event: Recorded = { name, payload, at: 0 };
        if (waiting) waiting.push(event);
        else apply(event);
      };
      socket.onAny(listener);
      detach = () => socket.offAny(listener);
    },
    detach: () => detach(),
    async sync(device, options) {
      since = await repeatSync(conversations, device, options, since);
      const events = waiting ?? [];
      waiting = undefined;
      for (const event of events) apply(event);
    },
    async readOlder(device) {
      for (const [id, kept] of conversations) await readHistory(device, userId, id, kept);
    },
    state(fromSeq) {
      const states = [...conversations].map(
        ([id, kept]) => [id, toState(id, kept, userId, fromSeq.get(id) ?? 0)] as const,
      );
      return Object.fromEntries(states.filter(([, { messages }]) => messages.length > 0));
    },
  };
}

function applyEvent(conversations: KeptConversations, userId: string, { name, payload }: Recorded): void {
  if (name === 'message:new' || name === 'message:updated') {
    putMessage(conversations, (payload as EventPayload<'message:new'>).message);
  } else if (name === 'message:status') {
    const { conversation_id, user_id, ...marks } = payload as EventPayload<'message:status'>;
    raiseMarks(keptOf(conversations, conversation_id), user_id, marks);
  } else if (name === 'conversation:updated') {
    putConversation(conversations, (payload as EventPayload<'conversation:updated'>).conversation);
  } else if (name === 'group:updated') {
    putGroup(conversations, userId, payload as EventPayload<'group:updated'>);
  }
}

/** Resolves with the time that the next `sync` may ask from. */
async function repeatSync(
  conversations: KeptConversations,
  device: Device,
  { limit, useSince, useCursor, newest }: SyncOptions,
  since: string | undefined,
): Promise<string> {
  let cursor: string | undefined;
  for (;;) {
    const known = [...conversations].filter(([, kept]) => isKnown(kept));
    const answer = await device.ok('sync', {
      conversations: Object.fromEntries(known.map(([id, { rev }]) => [id, rev])),
      limit,
      ...(useSince && since ? { since } : {}),
      ...(newest === undefined ? {} : { newest }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    if (cursor !== undefined) assertFitForCursor(answer);
    applySync(conversations, answer, newest);
    if (answer.has_more !== (answer.cursor !== undefined)) throw new Error('a cursor comes while there is more');
    if (!answer.has_more) return answer.server_time;
    cursor = useCursor ? answer.cursor : undefined;
  }
}

function assertFitForCursor({ conversations, gone, calls }: CommandData<'sync'>): void {
  if (gone.length > 0 || calls.length > 0) throw new Error('gone and calls are told once');
  if (conversations.length > 100) throw new Error(`${conversations.length} conversations in one answer`);
}

function applySync(conversations: KeptConversations, answer: CommandData<'sync'>, newest: number | undefined): void {
  for (const id of answer.gone) conversations.delete(id);
  for (const { conversation, messages, has_more } of answer.conversations) {
    const id = conversation.conversation_id;
    const kept = keptOf(conversations, id);
    const wasKnown = isKnown(kept);
    putConversation(conversations, conversation);
    for (const message of messages) putMessage(conversations, message);
    if (has_more) continue;
    kept.isComplete = true;
    kept.rev = Math.max(kept.rev, conversation.rev);
    if (newest !== undefined && !wasKnown && messages.length > 0) {
      if (messages.length > newest) throw new Error(`${messages.length} messages, not ${newest}`);
      if (messages.at(-1)!.rev > conversation.rev) throw new Error('a message is beyond what the answer is as of');
      kept.olderThan = Math.min(...messages.map(({ seq }) => seq));
    }
  }
}

function isKnown({ rev, isComplete }: Kept): boolean {
  return rev > 0 || isComplete;
}

async function readHistory(device: Device, userId: string, id: string, kept: Kept): Promise<void> {
  const peer = id.split('-').find((user) => user !== userId);
  const target = id.includes('-') ? { recipient_id: peer! } : { group_id: id };
  while (kept.olderThan !== undefined) {
    const { messages, has_more } = await device.ok('message:history', { ...target, before_seq: kept.olderThan });
    // A page says nothing of the changes in between: it moves no rev.
    for (const message of messages) keep(kept, message);
    kept.olderThan = has_more ? messages[0]!.seq : undefined;
  }
}

/** Each change of a pair is visible to both users, so its `rev` follows the one before. */
function assertNoGap(conversations: KeptConversations, { name, payload }: Recorded): void {
  if (name !== 'message:new' && name !== 'message:updated') return;
  const { message } = payload as EventPayload<'message:new'>;
  const known = conversations.get(message.conversation_id)?.rev ?? 0;
  if ('recipient_id' in message && message.rev !== known + 1) {
    throw new Error(`${name} of rev ${message.rev} after ${known}`);
  }
}

function keptOf(conversations: KeptConversations, id: string): Kept {
  let kept = conversations.get(id);
  if (!kept) {
    kept = {
      rev: 0,
      isComplete: false,
      olderThan: undefined,
      messages: new Map(),
      marks: new Map(),
      groupUpdatedAt: '',
      pinned: false,
    };
    conversations.set(id, kept);
  }
  return kept;
}

function putMessage(conversations: KeptConversations, message: Message): void {
  const kept = keptOf(conversations, message.conversation_id);
  keep(kept, message);
  kept.rev = Math.max(kept.rev, message.rev);
}

function keep(kept: Kept, message: Message): void {
  const known = kept.messages.get(message._id);
  if (!known || message.rev >= known.rev) kept.messages.set(message._id, message);
}

function putConversation(conversations: KeptConversations, conversation: Conversation): void {
  const kept = keptOf(conversations, conversation.conversation_id);
  for (const { user_id, ...marks } of conversation.receipts) raiseMarks(kept, user_id, marks);
  kept.pinned = conversation.pinned ?? false;
  if (conversation.group) kept.groupUpdatedAt = conversation.group.updated_at;
}

function putGroup(conversations: KeptConversations, userId: string, { group }: EventPayload<'group:updated'>): void {
  const known = conversations.get(group._id);
  if (known && group.updated_at < known.groupUpdatedAt) return;
  if (group.members.includes(userId) && group.is_active) {
    keptOf(conversations, group._id).groupUpdatedAt = group.updated_at;
  } else {
    conversations.delete(group._id);
  }
}

function raiseMarks(kept: Kept, userId: string, { delivered_seq, read_seq }: Marks): void {
  const known = kept.marks.get(userId);
  kept.marks.set(userId, {
    delivered_seq: Math.max(delivered_seq, known?.delivered_seq ?? 0),
    read_seq: Math.max(read_seq, known?.read_seq ?? 0),
  });
}

function toState(id: string, kept: Kept, userId: string, fromSeq: number): ReplicaState {
  const messages = [...kept.messages.values()]
    .filter((message) => message.seq > fromSeq)
    .sort((one, other) => one.seq - other.seq);
  const read = kept.marks.get(userId)?.read_seq ?? 0;
  const peer = id.split('-').find((user) => user !== userId);
  const { delivered_seq, read_seq } = kept.marks.get(peer ?? '') ?? { delivered_seq: 0, read_seq: 0 };
  const own = messages.filter((message) => message.sender_id === userId);
  return {
    messages: messages.map(comparable),
    unread: messages.filter((one) => one.sender_id !== userId && !one.is_deleted && one.seq > read).length,
    progress: id.includes('-')
      ? own.map(({ seq }) => (seq <= read_seq ? 'read' : seq <= delivered_seq ? 'delivered' : 'sent'))
      : [],
    pinned: kept.pinned,
  };
}

/** A message without the fields that change without a `rev`. */
export function comparable(message: Message): Message {
  const { status: _status, read_by: _readBy, ...rest } = message as Message & { status?: string; read_by?: string[] };
  return rest as Message;
}

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
  messages: Map<string, Message>;
  marks: Map<string, Marks>;
  groupUpdatedAt: string;
  pinned: boolean;
}

/** By conversation id. */
type KeptConversations = Map<string, Kept>;

export interface Replica {
  /** Follows a device from its connection on. Events wait until `sync` is done. */
  attach(device: Device): void;
  detach(): void;
  /** Repeats `sync` until nothing is missing. */
  sync(device: Device, limit: number, useSince: boolean): Promise<void>;
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
    async sync(device, limit, useSince) {
      let answer: CommandData<'sync'>;
      do {
        answer = await device.ok('sync', {
          conversations: Object.fromEntries([...conversations].map(([id, { rev }]) => [id, rev])),
          limit,
          ...(useSince && since ? { since } : {}),
        });
        applySync(conversations, answer);
      } while (answer.has_more);
      since = answer.server_time;
      const events = waiting ?? [];
      waiting = undefined;
      for (const event of events) apply(event);
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

function applySync(conversations: KeptConversations, answer: CommandData<'sync'>): void {
  for (const id of answer.gone) conversations.delete(id);
  for (const { conversation, messages, has_more } of answer.conversations) {
    putConversation(conversations, conversation);
    for (const message of messages) putMessage(conversations, message);
    const kept = keptOf(conversations, conversation.conversation_id);
    if (!has_more) kept.rev = Math.max(kept.rev, conversation.rev);
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
    kept = { rev: 0, messages: new Map(), marks: new Map(), groupUpdatedAt: '', pinned: false };
    conversations.set(id, kept);
  }
  return kept;
}

function putMessage(conversations: KeptConversations, message: Message): void {
  const kept = keptOf(conversations, message.conversation_id);
  const known = kept.messages.get(message._id);
  if (!known || message.rev >= known.rev) kept.messages.set(message._id, message);
  kept.rev = Math.max(kept.rev, message.rev);
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

/** What a client keeps of its conversations, built from events and `sync` alone. */
import type { Conversation, Message } from '../../shared/contract/documents.ts';
import type { CommandData, EventPayload } from '../../shared/contract/index.ts';
import type { Device, Recorded } from '../support/client.ts';

interface Marks {
  delivered_seq: number;
  read_seq: number;
}

interface Kept {
  rev: number;
  messages: Map<string, Message>;
  marks: Map<string, Marks>;
  groupUpdatedAt: string;
  pinned: boolean;
}

export interface Replica {
  /** Follows a device from its connection on; what comes before `sync` is done waits for it. */
  attach(device: Device): void;
  detach(): void;
  /** Repeats `sync` until nothing is missing. */
  sync(device: Device, limit: number, useSince: boolean): Promise<void>;
  /**
   * The conversations as they can be compared: what is visible by now. A client that was away while its user left a
   * group and came back still has what it was told in the earlier stay, which the others have dropped.
   */
  state(fromSeq: Map<string, number>): Record<string, ReplicaState>;
}

export interface ReplicaState {
  messages: Message[];
  unread: number;
  /** What the user's own messages in a pair went through, by the marks of the other. */
  progress: string[];
  pinned: boolean;
}

/**
 * @param userId whose client it is
 * @param strict a client that never leaves: each pair's changes must come without gaps
 */
export function createReplica(userId: string, strict: boolean): Replica {
  const conversations = new Map<string, Kept>();
  let since: string | undefined;
  let held: Recorded[] | undefined;
  let current: { device: Device; listener: (name: never, payload: unknown) => void } | undefined;

  function keep(id: string): Kept {
    let kept = conversations.get(id);
    if (!kept) {
      kept = { rev: 0, messages: new Map(), marks: new Map(), groupUpdatedAt: '', pinned: false };
      conversations.set(id, kept);
    }
    return kept;
  }

  function put(message: Message): void {
    const kept = keep(message.conversation_id);
    const known = kept.messages.get(message._id);
    if (!known || message.rev >= known.rev) kept.messages.set(message._id, message);
    kept.rev = Math.max(kept.rev, message.rev);
  }

  function raise(kept: Kept, user: string, { delivered_seq, read_seq }: Marks): void {
    const known = kept.marks.get(user);
    kept.marks.set(user, {
      delivered_seq: Math.max(delivered_seq, known?.delivered_seq ?? 0),
      read_seq: Math.max(read_seq, known?.read_seq ?? 0),
    });
  }

  function putConversation(conversation: Conversation): void {
    const kept = keep(conversation.conversation_id);
    for (const { user_id, ...marks } of conversation.receipts) raise(kept, user_id, marks);
    kept.pinned = conversation.pinned ?? false;
    if (conversation.group) kept.groupUpdatedAt = conversation.group.updated_at;
  }

  function putGroup({ group }: EventPayload<'group:updated'>): void {
    const known = conversations.get(group._id);
    if (known && group.updated_at < known.groupUpdatedAt) return;
    if (group.members.includes(userId) && group.is_active) keep(group._id).groupUpdatedAt = group.updated_at;
    else conversations.delete(group._id);
  }

  function apply({ name, payload }: Recorded): void {
    if (name === 'message:new' || name === 'message:updated') {
      const { message } = payload as EventPayload<'message:new'>;
      const known = conversations.get(message.conversation_id)?.rev ?? 0;
      if (strict && 'recipient_id' in message && message.rev !== known + 1) {
        throw new Error(`${name} of rev ${message.rev} after ${known}`);
      }
      put(message);
    } else if (name === 'message:status') {
      const { conversation_id, user_id, ...marks } = payload as EventPayload<'message:status'>;
      raise(keep(conversation_id), user_id, marks);
    } else if (name === 'conversation:updated') {
      putConversation((payload as EventPayload<'conversation:updated'>).conversation);
    } else if (name === 'group:updated') {
      putGroup(payload as EventPayload<'group:updated'>);
    }
  }

  function merge(answer: CommandData<'sync'>): void {
    for (const id of answer.gone) conversations.delete(id);
    for (const { conversation, messages, has_more } of answer.conversations) {
      putConversation(conversation);
      for (const message of messages) put(message);
      const kept = keep(conversation.conversation_id);
      if (!has_more) kept.rev = Math.max(kept.rev, conversation.rev);
    }
  }

  return {
    attach(device) {
      held = [];
      const listener = (name: never, payload: unknown) => {
        const event: Recorded = { name, payload, at: 0 };
        if (held) held.push(event);
        else apply(event);
      };
      device.socket.onAny(listener as never);
      current = { device, listener };
    },
    detach() {
      current?.device.socket.offAny(current.listener as never);
      current = undefined;
    },
    async sync(device, limit, useSince) {
      for (;;) {
        const answer = await device.ok('sync', {
          conversations: Object.fromEntries([...conversations].map(([id, { rev }]) => [id, rev])),
          limit,
          ...(useSince && since ? { since } : {}),
        });
        merge(answer);
        if (answer.has_more) continue;
        since = answer.server_time;
        break;
      }
      const waiting = held ?? [];
      held = undefined;
      for (const event of waiting) apply(event);
    },
    state(fromSeq) {
      const states = [...conversations].map(
        ([id, kept]) => [id, stateOf(id, kept, userId, fromSeq.get(id) ?? 0)] as const,
      );
      return Object.fromEntries(states.filter(([, { messages }]) => messages.length > 0));
    },
  };
}

function stateOf(id: string, kept: Kept, userId: string, fromSeq: number): ReplicaState {
  const messages = [...kept.messages.values()]
    .filter((message) => message.seq > fromSeq)
    .sort((one, other) => one.seq - other.seq);
  const read = kept.marks.get(userId)?.read_seq ?? 0;
  const peer = id.split('-').find((user) => user !== userId);
  const { delivered_seq, read_seq } = kept.marks.get(peer ?? '') ?? { delivered_seq: 0, read_seq: 0 };
  const mine = messages.filter((message) => message.sender_id === userId);
  return {
    messages: messages.map(comparable),
    unread: messages.filter((one) => one.sender_id !== userId && !one.is_deleted && one.seq > read).length,
    progress: id.includes('-')
      ? mine.map(({ seq }) => (seq <= read_seq ? 'read' : seq <= delivered_seq ? 'delivered' : 'sent'))
      : [],
    pinned: kept.pinned,
  };
}

/** A message without what changes under no `rev`. */
export function comparable(message: Message): Message {
  const { status: _status, read_by: _readBy, ...rest } = message as Message & { status?: string; read_by?: string[] };
  return rest as Message;
}

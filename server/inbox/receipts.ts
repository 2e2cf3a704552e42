/**
 * Marks of what was delivered to a user and read (PROTOCOL section 4). A mark grows by one conditional update. The
 * stored messages follow by range updates before it, so that a crash between the two is finished by the client's
 * repetition, or by the next reading.
 */
import type { ObjectId } from 'mongodb';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { InTurn } from './turns.ts';
import type { ConversationViews } from './views.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { invalid, notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import { groupRef, pairRef } from '../model/conversation-ref.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

type Mark = 'delivered' | 'read';

export interface Receipts {
  /** @throws ContractError `not_found` where nothing was ever written, `validation_failed` beyond the last message */
  delivered(caller: Caller, payload: CommandPayload<'message:delivered'>): Promise<Record<string, never>>;
  /** @throws ContractError as `delivered` */
  read(caller: Caller, payload: CommandPayload<'message:read'>): Promise<{ unread_count: number }>;
}

export interface ReceiptsOptions {
  collections: Collections;
  store: MessageStore;
  access: AccessRules;
  bus: Bus;
  /** A conversation as the user sees it. */
  view: ConversationViews['one'];
  inTurn: InTurn;
  clock(): Date;
}

/** What is known before a mark is set. */
interface Reached {
  caller: Caller;
  conversationId: string;
  peerId: ObjectId | undefined;
  groupId: ObjectId | undefined;
  /** The user's marks as they were. */
  marks: MembershipDocument;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
  upTo: number;
}

/** The senders concerned. */
interface Audience {
  /** Those who may learn of the reading. */
  shown: ObjectId[];
  /** Those from whom it is hidden by the reader's setting, or in a pair by either's. */
  hidden: ObjectId[];
  /** In a group, those who do not tell of readings: they are not told of any. */
  blind: ObjectId[];
  /** Whether the mark that others see grows with the reading. */
  isShown: boolean;
}

/** By an index that no change of the status moves a message in, so that none is passed over. */
const BY_SEQ = { hint: 'conversation_seq' };

type MarkField = 'delivered_seq' | 'read_seq' | 'shown_read_seq';

export function createReceipts({ collections, store, access, bus, view, inTurn, clock }: ReceiptsOptions): Receipts {
  const { messages, group_messages, memberships, groups, users } = collections;

  /** Looks at everything that a mark depends on; undefined where a block leaves nothing to be told. */
  async function reach(caller: Caller, payload: CommandPayload<'message:read'>) {
    const { recipient_id, group_id, up_to_seq: upTo } = payload;
    const conversation = recipient_id === undefined ? groupRef(group_id!) : pairRef(caller.id, recipient_id);
    const [entered, [newest], marks] = await Promise.all([
      access.enter(caller.id, payload),
      store
        .of(conversation.kind)
        .find({ conversation_id: conversation.id }, { projection: { _id: 0, seq: 1 } })
        .sort({ seq: -1 })
        .limit(1)
        .toArray(),
      memberships.findOne({ user_id: caller.userId, conversation_id: conversation.id }),
    ]);
    if (!newest || !marks) throw notFound('nothing was ever written here');
    if (upTo > newest.seq) throw invalid('up_to_seq', 'is beyond the last message');
    const reached: Reached = {
      caller,
      conversationId: conversation.id,
      peerId: recipient_id === undefined ? undefined : fromId(recipient_id),
      groupId: group_id === undefined ? undefined : fromId(group_id),
      marks,
      fromSeq: entered.fromSeq,
      upTo,
    };
    return { reached, blocked: entered.blocked };
  }

  /** The others whose visible messages lie above a mark and up to the new one, and are still in the conversation. */
  async function sendersAbove(reached: Reached, mark: number): Promise<ObjectId[]> {
    const { conversationId, caller, peerId, groupId, upTo, fromSeq } = reached;
    const range = { $gt: Math.max(mark, fromSeq), $lte: upTo };
    if (peerId) {
      const one = await messages.findOne(
        { conversation_id: conversationId, sender_id: peerId, seq: range },
        { projection: { _id: 1 }, ...BY_SEQ },
      );
      return one ? [peerId] : [];
    }
    const [senders, group] = await Promise.all([
      group_messages.distinct('sender_id', { conversation_id: conversationId, seq: range }),
      groups.findOne({ _id: groupId! }, { projection: { members: 1 } }),
    ]);
    const members = new Set(group?.members.map((member) => member.toHexString()));
    return senders.filter((sender) => !sender.equals(caller.userId) && members.has(sender.toHexString()));
  }

  /** Parts the senders by the settings of this moment: those of both sides count. */
  async function part({ caller, peerId }: Reached, senders: ObjectId[]): Promise<Audience> {
    const others = peerId ? [peerId] : senders;
    const off = await users
      .find(
        { _id: { $in: [caller.userId, ...others] }, 'settings.read_receipts_enabled': false },
        { projection: { _id: 1 } },
      )
      .toArray();
    const hides = (id: ObjectId) => off.some(({ _id }) => _id.equals(id));
    const reader = !hides(caller.userId);
    const isBlind = (sender: ObjectId) => !peerId && hides(sender);
    const shown = senders.filter((sender) => reader && !hides(sender));
    return {
      shown,
      hidden: senders.filter((sender) => !shown.includes(sender) && !isBlind(sender)),
      blind: senders.filter(isBlind),
      // Of a group's members each sees the same mark, or none.
      isShown: reader && !(peerId && hides(peerId)),
    };
  }

  /** A pair's messages above the old mark are delivered up to the new one. */
  async function storeDelivered({ conversationId, peerId, marks, upTo }: Reached): Promise<void> {
    if (!peerId) return;
    await messages.updateMany(
      {
        conversation_id: conversationId,
        sender_id: peerId,
        status: 'sent',
        seq: { $gt: marks.delivered_seq, $lte: upTo },
      },
      { $set: { status: 'delivered' } },
      BY_SEQ,
    );
  }

  /** The messages above the reader's old mark were read: those before were, or were not, shown as read at their time. */
  async function storeRead({ conversationId, caller, peerId, marks, fromSeq, upTo }: Reached, shown: ObjectId[]) {
    if (shown.length === 0) return;
    const seq = { $gt: Math.max(marks.read_seq, fromSeq), $lte: upTo };
    if (peerId) {
      await messages.updateMany(
        { conversation_id: conversationId, sender_id: peerId, status: { $ne: 'read' }, seq },
        { $set: { status: 'read' } },
        BY_SEQ,
      );
    } else {
      await group_messages.updateMany(
        { conversation_id: conversationId, seq, sender_id: { $in: shown } },
        { $addToSet: { read_by: caller.userId } },
      );
    }
  }

  /**
   * Raises marks to `upTo` where at least one of the user's own is lower.
   * @returns the marks as they were and as they are, or undefined where nothing grew
   */
  async function raise({ caller, conversationId, upTo }: Reached, fields: MarkField[]) {
    const at = clock();
    const isLower = fields.filter((field) => field !== 'shown_read_seq').map((field) => ({ [field]: { $lt: upTo } }));
    const before = await memberships.findOneAndUpdate(
      { user_id: caller.userId, conversation_id: conversationId, $or: isLower },
      {
        $max: Object.fromEntries(fields.map((field) => [field, upTo])),
        // A reading that others must not learn of leaves no trace for their sync either.
        $set: { changed_at: at, ...(fields.some((field) => field !== 'read_seq') ? { marks_at: at } : {}) },
        $inc: { version: 1 },
      },
      { returnDocument: 'before' },
    );
    if (!before) return undefined;
    const after = { ...before };
    for (const field of fields) after[field] = Math.max(before[field], upTo);
    return { before, after };
  }

  /** Tells the senders of the user's marks; those who may not learn of a reading only of a delivery. */
  function tell(
    reached: Reached,
    { shown, hidden, blind }: Audience,
    change: { before: MembershipDocument; after: MembershipDocument },
  ) {
    const { before, after } = change;
    const status = (read_seq: number) => ({
      conversation_id: reached.conversationId,
      user_id: reached.caller.id,
      delivered_seq: after.delivered_seq,
      read_seq,
      at: clock().toISOString(),
    });
    const grew = after.delivered_seq > before.delivered_seq;
    const users = (ids: ObjectId[]) => ({ users: ids.map((id) => id.toHexString()) });
    if (grew || after.shown_read_seq > before.shown_read_seq) {
      bus.emit(users(shown), 'message:status', status(after.shown_read_seq));
    }
    if (!grew) return;
    // A hidden reading has left this mark where it was.
    bus.emit(users(hidden), 'message:status', status(after.shown_read_seq));
    bus.emit(users(blind), 'message:status', status(0));
  }

  async function set(reached: Reached, mark: Mark): Promise<boolean> {
    const { delivered_seq, read_seq } = reached.marks;
    const lowest = mark === 'read' ? Math.min(delivered_seq, read_seq) : delivered_seq;
    if (lowest >= reached.upTo) return false;
    const audience = await part(reached, await sendersAbove(reached, lowest));
    const fields: MarkField[] = delivered_seq < reached.upTo ? ['delivered_seq'] : [];
    if (mark === 'read') {
      await storeRead(reached, audience.shown);
      fields.push('read_seq');
      if (audience.isShown && read_seq < reached.upTo) fields.push('shown_read_seq');
    }
    if (delivered_seq < reached.upTo) await storeDelivered(reached);
    const change = await raise(reached, fields);
    if (change) tell(reached, audience, change);
    return change !== undefined;
  }

  async function read(caller: Caller, payload: CommandPayload<'message:read'>): Promise<{ unread_count: number }> {
    const { reached, blocked } = await reach(caller, payload);
    // Under a block nothing passes, but the own unread count clears.
    const grew = blocked ? (await raise(reached, ['read_seq'])) !== undefined : await set(reached, 'read');
    const current = await view(caller.userId, reached.conversationId);
    if (!current) throw notFound('no such conversation');
    const { conversation, state } = current;
    if (grew) {
      bus.emit({ users: [caller.id] }, 'conversation:updated', { conversation }, { socket: caller.socketId }, state);
    }
    return { unread_count: conversation.unread_count };
  }

  return {
    delivered: (caller, payload) =>
      inTurn(caller, payload, async () => {
        const { reached, blocked } = await reach(caller, payload);
        if (!blocked) await set(reached, 'delivered');
        return {};
      }),
    read: (caller, payload) => inTurn(caller, payload, () => read(caller, payload)),
  };
}

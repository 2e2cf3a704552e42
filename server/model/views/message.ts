/** Messages as they leave the server. */
import type { ObjectId } from 'mongodb';
import type { GroupMessage, Message, PairMessage } from '../../../shared/contract/documents.ts';
import { toWire } from '../codec.ts';
import type { GroupMessageDocument, MessageDocument, PairMessageDocument } from '../documents/messages.ts';
import { wireMetadata } from '../metadata.ts';

/** Lists of ids that were made before: in a storm of changes a message goes out again and again with the same readers. */
/** Shorter lists are made anew. */
const MANY = 20;
const made = new WeakMap<readonly ObjectId[], string[]>();

function wireIds(ids: readonly ObjectId[]): string[] {
  if (ids.length < MANY) return ids.map((id) => id.toHexString());
  const known = made.get(ids);
  if (known?.length === ids.length) return known;
  const wire = ids.map((id) => id.toHexString());
  made.set(ids, wire);
  return wire;
}

function wirePin({ by, at }: NonNullable<MessageDocument['pinned']>) {
  return { by: by.toHexString(), at: at.toISOString() };
}

/** The wire form of a message. Written out field by field, because it is made for every message sent. */
export function toWireMessage(document: PairMessageDocument): PairMessage;
export function toWireMessage(document: GroupMessageDocument): GroupMessage;
export function toWireMessage(document: MessageDocument): Message;
export function toWireMessage(document: MessageDocument): Message {
  const base = {
    _id: document._id.toHexString(),
    conversation_id: document.conversation_id,
    seq: document.seq,
    rev: document.rev,
    sender_id: document.sender_id.toHexString(),
    content: document.content,
    message_type: document.message_type,
    attachment: document.attachment ? { media_id: document.attachment.media_id.toHexString() } : null,
    created_at: document.created_at.toISOString(),
    updated_at: document.updated_at.toISOString(),
    is_deleted: document.is_deleted,
    ...(document.client_message_id === undefined ? {} : { client_message_id: document.client_message_id }),
    ...(document.edited_at ? { edited_at: document.edited_at.toISOString() } : {}),
    ...(document.reply_to ? { reply_to: document.reply_to.toHexString() } : {}),
    ...(document.thread_id ? { thread_id: document.thread_id.toHexString() } : {}),
    ...(document.in_conversation ? { in_conversation: true as const } : {}),
    ...(document.thread ? { thread: toWire(document.thread) } : {}),
    ...(document.mentions ? { mentions: toWire(document.mentions) } : {}),
    ...(document.forwarded ? { forwarded: { count: document.forwarded.count } } : {}),
    ...(document.pinned ? { pinned: wirePin(document.pinned) } : {}),
    ...wireMetadata(document.metadata),
    ...(document.reactions?.length ? { reactions: toWire(document.reactions) } : {}),
  };
  return 'group_id' in document
    ? { ...base, group_id: document.group_id.toHexString(), read_by: wireIds(document.read_by) }
    : { ...base, recipient_id: document.recipient_id.toHexString(), status: document.status };
}

import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { type Access, permitsBy } from '../../server/conversations/access.ts';
import type { Caller } from '../../server/dispatch/caller.ts';
import { notFound } from '../../server/lib/errors.ts';
import { checkShape, type DraftOptions, draftOf, prepareDraft } from '../../server/messages/drafts.ts';
import { groupRef } from '../../server/model/conversation-ref.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';

const sender = new ObjectId();
const caller = { id: sender.toHexString(), userId: sender } as Caller;
const hex = () => new ObjectId().toHexString();
const attachment = { media_id: hex() };
const refusal = (code: string) => expect.objectContaining({ code });

describe('checkShape', () => {
  it.each([
    { content: 'a text' },
    { content: '', message_type: 'image', attachment } as const,
    { content: 'a caption', message_type: 'document', attachment } as const,
  ])('takes %j', (payload) => checkShape(payload));

  it.each([
    { content: '' },
    { content: 'a text', attachment },
    { content: 'a text', message_type: 'text', attachment } as const,
    { content: 'no attachment', message_type: 'video' } as const,
    { content: 'no attachment', message_type: 'audio', attachment: null } as const,
  ])('refuses %j', (payload) => {
    expect(() => checkShape(payload)).toThrow(refusal('validation_failed'));
  });
});

describe('draftOf', () => {
  it('drafts a text to a user', () => {
    const recipient_id = hex();
    const draft = draftOf(new ObjectId(), sender, 'pair', {
      recipient_id,
      content: 'Hello, hello',
      client_message_id: 'c1',
    });
    expect(draft).toEqual({
      _id: expect.any(ObjectId),
      conversation_id: 'pair',
      sender_id: sender,
      recipient_id: new ObjectId(recipient_id),
      content: 'Hello, hello',
      message_type: 'text',
      attachment: null,
      client_message_id: 'c1',
      status: 'sent',
      is_deleted: false,
      terms: ['hello'],
    });
  });

  it('drafts an image, in reply to a message of a group', () => {
    const [group_id, reply_to] = [hex(), hex()];
    const payload = { group_id, content: '', message_type: 'image', attachment, reply_to } as const;
    expect(draftOf(new ObjectId(), sender, group_id, payload)).toMatchObject({
      group_id: new ObjectId(group_id),
      message_type: 'image',
      attachment: { media_id: new ObjectId(attachment.media_id) },
      reply_to: new ObjectId(reply_to),
      read_by: [],
      terms: [],
    });
  });
});

describe('prepareDraft', () => {
  const conversation = groupRef(hex());
  const access: Access = {
    conversation,
    fromSeq: 10,
    blocked: false,
    peerActive: true,
    isAdmin: false,
    permits: permitsBy(() => true),
    slowModeS: 0,
  };
  const payload = { group_id: conversation.id, content: 'x' };

  /** Prepares against a store that has one message, or none, and uploads that are refused. */
  function prepare(
    over: object,
    { found, entered = access }: { found?: Partial<MessageDocument>; entered?: Access } = {},
  ) {
    const isAskedFor = (filter: { conversation_id: string }) => found?.conversation_id === filter.conversation_id;
    const messages = { findOne: async (filter: { conversation_id: string }) => (isAskedFor(filter) ? found : null) };
    const store = { of: () => messages, newId: () => new ObjectId() } as unknown as DraftOptions['store'];
    const attachments = { check: () => Promise.reject(notFound('no such upload')) };
    return prepareDraft(
      {
        store,
        attachments,
        reach: () => Promise.reject(notFound()),
        audience: { membersOf: async () => new Set() },
        clock: () => new Date(),
      },
      caller,
      { ...payload, ...over },
      entered,
    );
  }

  it('drafts what passes', async () => {
    expect(await prepare({})).toMatchObject({ conversation_id: conversation.id, content: 'x' });
  });

  it('refuses under a block, and to a deactivated user', async () => {
    await expect(prepare({}, { entered: { ...access, blocked: true } })).rejects.toThrow(refusal('forbidden'));
    await expect(prepare({}, { entered: { ...access, peerActive: false } })).rejects.toThrow(refusal('not_found'));
  });

  it('refuses who may not write in the group', async () => {
    const entered = { ...access, permits: permitsBy((action) => action !== 'send') };
    await expect(prepare({}, { entered })).rejects.toThrow(refusal('forbidden'));
  });

  it('takes a reply only to a visible message of the same conversation', async () => {
    const reply = { reply_to: hex() };
    const found = { conversation_id: conversation.id, seq: 11 };
    expect(await prepare(reply, { found })).toMatchObject({ reply_to: new ObjectId(reply.reply_to) });
    await expect(prepare(reply)).rejects.toThrow(refusal('not_found'));
    for (const over of [{ seq: 10 }, { conversation_id: 'other' }]) {
      await expect(prepare(reply, { found: { ...found, ...over } })).rejects.toThrow(refusal('not_found'));
    }
  });

  it('refuses what the upload refuses', async () => {
    await expect(prepare({ message_type: 'image', attachment })).rejects.toThrow('no such upload');
  });
});

/**
 * `message:delivered` and `message:read`. The stored messages are settled before the mark is raised, so whatever a
 * crash leaves between the two is completed when the client repeats the command, or by the next reading.
 */
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller } from '../dispatch/caller.ts';
import { notFound } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import { type MarkRequest, type MarkRequestSources, readMarkRequest } from './mark-request.ts';
import { type MarkField, raiseMarks } from './marks.ts';
import { findReadingAudience, type ReadingAudienceSources } from './reading-audience.ts';
import { settleDelivered, settleRead } from './settle-status.ts';
import { tellOwnDevices } from './tell-own-devices.ts';
import { tellSenders } from './tell-senders.ts';
import type { ConversationViews } from './views.ts';

export interface ReceiptsOptions extends MarkRequestSources, ReadingAudienceSources {
  collections: Collections;
  bus: Bus;
  views: ConversationViews;
  clock(): Date;
}

export function createReceipts(options: ReceiptsOptions) {
  const { collections, bus, views, clock } = options;

  const raise = (request: MarkRequest, fields: MarkField[]) =>
    raiseMarks(collections.memberships, request, fields, clock());

  /** Settles the messages, raises the marks and tells the senders. Resolves with whether a mark grew. */
  async function advance(request: MarkRequest, isReading: boolean): Promise<boolean> {
    const { upTo } = request;
    const { delivered_seq, read_seq } = request.marks;
    const lowest = isReading ? Math.min(delivered_seq, read_seq) : delivered_seq;
    if (lowest >= upTo) return false;
    const audience = await findReadingAudience(options, request, lowest);
    const fields: MarkField[] = delivered_seq < upTo ? ['delivered_seq'] : [];
    if (isReading) {
      await settleRead(collections, request, audience.shown);
      fields.push('read_seq');
      if (audience.raisesShownMark && read_seq < upTo) fields.push('shown_read_seq');
    }
    if (delivered_seq < upTo) await settleDelivered(collections, request);
    const change = await raise(request, fields);
    if (change) tellSenders(bus, request, audience, change, clock());
    return change !== undefined;
  }

  return {
    /** @throws ContractError as `readMarkRequest` */
    async delivered(caller: Caller, payload: CommandPayload<'message:delivered'>): Promise<Record<string, never>> {
      const request = await readMarkRequest(options, caller, payload);
      if (!request.isBlocked) await advance(request, false);
      return {};
    },
    /** @throws ContractError as `readMarkRequest` */
    async read(caller: Caller, payload: CommandPayload<'message:read'>): Promise<{ unread_count: number }> {
      const request = await readMarkRequest(options, caller, payload);
      // Under a block nothing passes, but the reader's own unread count clears.
      const grew = request.isBlocked
        ? (await raise(request, ['read_seq'])) !== undefined
        : await advance(request, true);
      const current = await views.current(caller.userId, request.conversation.id);
      if (!current) throw notFound('no such conversation');
      if (grew) tellOwnDevices(bus, caller, current);
      return { unread_count: current.conversation.unread_count };
    },
  };
}

/** What a client that was away asks for, until nothing is missing. */
import { expect } from 'vitest';
import type { Device } from './client.ts';

/** What a client has: the `rev` up to which it knows each conversation. */
export type Cursor = Record<string, number>;

/** Everything after the cursor. Fails where a conversation's revs do not follow each other. */
export async function syncFrom(device: Device, cursor: Cursor): Promise<{ cursor: Cursor; ids: string[] }> {
  const revs = { ...cursor };
  const ids: string[] = [];
  for (;;) {
    const answer = await device.ok('sync', { conversations: revs, limit: 100 });
    for (const { conversation, messages } of answer.conversations) {
      for (const { _id, rev } of messages) {
        expect(rev).toBe((revs[conversation.conversation_id] ?? 0) + 1);
        revs[conversation.conversation_id] = rev;
        ids.push(_id);
      }
    }
    if (!answer.has_more) return { cursor: revs, ids };
  }
}

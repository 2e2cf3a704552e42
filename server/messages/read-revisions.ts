/** `message:revisions` (PROTOCOL section 16): what an edited message said before. */
import type { Handler } from '../dispatch/handlers.ts';
import { wireMetadata } from '../model/metadata.ts';
import type { Reach } from './reach.ts';
import type { Revisions } from './revisions.ts';

/**
 * @param revisions undefined where none are kept (`REVISIONS=off`)
 * @returns a handler that throws ContractError `not_found` for a message that the caller cannot see
 */
export function createReadRevisions(
  reach: Reach,
  revisions: Pick<Revisions, 'of'> | undefined,
): Handler<'message:revisions'> {
  return async (caller, { message_id }) => {
    const { message } = await reach(caller, message_id);
    const found = (await revisions?.of(message)) ?? [];
    return {
      revisions: found.map(({ content, metadata, at }) => ({
        content,
        ...wireMetadata(metadata),
        at: at.toISOString(),
      })),
    };
  };
}

import type { Target } from 'letsapp-client';
import { useConversations } from 'letsapp-client/react';

/** A conversation by its target; undefined where nothing was written yet. */
export function useConversation({ recipient_id, group_id }: Target) {
  return useConversations().find(({ peer, group }) =>
    group_id === undefined ? peer?._id === recipient_id : group?._id === group_id,
  );
}

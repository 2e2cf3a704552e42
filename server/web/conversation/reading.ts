/** What is shown at the end of the log while the page is looked at was read. */
import type { ChatMessage, Target } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useCallback, useEffect, useRef } from 'preact/hooks';

/** @returns what the log calls with whether its end is in view */
export function useReading(target: Target, messages: ChatMessage[]): (isAtEnd: boolean) => void {
  const client = useClient();
  const isAtEnd = useRef(true);
  const newest = messages.findLast(({ seq }) => seq > 0)?.seq ?? 0;

  const read = useCallback(() => {
    if (newest > 0 && isAtEnd.current && document.visibilityState === 'visible') client.markRead(target);
  }, [client, target.group_id, target.recipient_id, newest]);

  useEffect(() => {
    read();
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, [read]);

  return useCallback(
    (is) => {
      isAtEnd.current = is;
      read();
    },
    [read],
  );
}

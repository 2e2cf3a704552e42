/** What is shown at the end of the log while the page is looked at was read. */
import type { ChatMessage } from 'letsapp-client';
import { useCallback, useEffect, useRef } from 'preact/hooks';

/**
 * @param markRead says that all was read; it is another function where that is about something else
 * @returns what the log calls with whether its end is in view
 */
export function useReading(markRead: () => void, messages: ChatMessage[]): (isAtEnd: boolean) => void {
  const isAtEnd = useRef(true);
  const newest = messages.findLast(({ seq }) => seq > 0)?.seq ?? 0;

  const read = useCallback(() => {
    if (newest > 0 && isAtEnd.current && document.visibilityState === 'visible') markRead();
  }, [markRead, newest]);

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

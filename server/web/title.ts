/** The title of the page tells how many conversations have something new. */
import { useConversations } from 'letsapp-client/react';
import { useEffect } from 'preact/hooks';

export function useTitle(): void {
  const unread = useConversations().filter(
    (one) => one.unread_count > 0 && !(Date.parse(one.muted_until ?? '') > Date.now()),
  ).length;
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) LetsApp` : 'LetsApp';
  }, [unread]);
}

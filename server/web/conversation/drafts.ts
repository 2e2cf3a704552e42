/** What was begun and not sent. The user's other devices see it too; that of a thread stays on the page. */
import type { Target } from 'letsapp-client';
import { useClient } from 'letsapp-client/react';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useConversation } from './current.ts';

const drafts = new Map<string, { text: string; at: string }>();

const keyOf = ({ recipient_id, group_id }: Target) => group_id ?? recipient_id;

/**
 * @param thread the id of the message that is answered in its thread
 * @param isBusy whether somebody writes here just now: then nothing from elsewhere takes its place
 * @returns the text, and what changes it
 */
export function useDraft(
  target: Target,
  thread: string | undefined,
  isBusy: () => boolean,
): [text: string, set: (text: string) => void] {
  const client = useClient();
  const conversation = useConversation(target);
  const key = thread ?? keyOf(target);
  const elsewhere = thread === undefined ? conversation?.draft : undefined;
  const remote = elsewhere?.content ?? '';
  const [text, setText] = useState(() => {
    const local = drafts.get(key);
    return local && !(elsewhere && elsewhere.updated_at > local.at) ? local.text : remote;
  });

  const known = useRef(remote);
  useEffect(() => {
    if (known.current === remote) return;
    known.current = remote;
    if (thread !== undefined || isBusy()) return;
    drafts.delete(key);
    setText(remote);
  }, [remote]);

  function set(next: string): void {
    setText(next);
    if (next === '') drafts.delete(key);
    else drafts.set(key, { text: next, at: new Date().toISOString() });
    if (thread === undefined) client.setDraft(target, next);
  }
  return [text, set];
}

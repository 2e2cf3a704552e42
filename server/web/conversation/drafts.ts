/** What was begun and not sent, for as long as the page lives. */
import type { Target } from 'letsapp-client';

const drafts = new Map<string, string>();
const keyOf = ({ recipient_id, group_id }: Target) => group_id ?? recipient_id;

export const draftFor = (target: Target): string => drafts.get(keyOf(target)) ?? '';

export function keepDraft(target: Target, text: string): void {
  if (text === '') drafts.delete(keyOf(target));
  else drafts.set(keyOf(target), text);
}

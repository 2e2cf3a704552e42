/** Short notices at the edge of the page: what was refused, or has gone wrong. */
import { ClientError } from 'letsapp-client';
import { useSyncExternalStore } from 'preact/compat';
import { IconButton } from './icon.tsx';

interface Notice {
  id: number;
  text: string;
}

const SHOWN_MS = 8000;
let notices: Notice[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

/** Shows a notice for some seconds. */
export function notify(text: string): void {
  const notice = { id: ++last, text };
  set([...notices, notice]);
  setTimeout(() => set(notices.filter((one) => one !== notice)), SHOWN_MS);
}

/** Runs what a person asked for, and shows why it did not work. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    notify(inWords(error));
    return undefined;
  }
}

const WORDS: Partial<Record<ClientError['code'], string>> = {
  unavailable: 'No connection to the server. Try again in a moment.',
  forbidden: 'That is not allowed here.',
  not_found: 'That is not there any more.',
  busy: 'The line is busy.',
  rate_limited: 'That was a little fast. Wait a moment.',
  payload_too_large: 'That is too large.',
  unsupported_media_type: 'Files of this kind cannot be sent.',
};

function inWords(error: unknown): string {
  if (error instanceof ClientError) return WORDS[error.code] ?? `That did not work: ${error.message}.`;
  if (error instanceof DOMException && error.name === 'NotAllowedError') return 'The browser does not allow it.';
  return 'That did not work.';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function NoticeBoard() {
  const shown = useSyncExternalStore(subscribe, () => notices);
  return (
    <div class="notices" role="alert">
      {shown.map((notice) => (
        <div class="notice" key={notice.id}>
          <span>{notice.text}</span>
          <IconButton icon="close" label="Dismiss" onClick={() => set(notices.filter((one) => one !== notice))} />
        </div>
      ))}
    </div>
  );
}

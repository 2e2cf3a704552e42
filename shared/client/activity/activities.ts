/** What a client does by itself, or for who looks: marks, typing, presence, contacts, threads, drafts. */
import type { Call } from '../commands.ts';
import type { Store } from '../store/store.ts';
import { type ContactsWatch, createContactsWatch } from './contacts.ts';
import { createDrafts, type Drafts } from './drafts.ts';
import { createMarks, type Marks } from './marks.ts';
import { createPresenceWatch, type PresenceWatch } from './presence.ts';
import { createThreads, type Threads } from './threads.ts';
import { createTyping, type Typing } from './typing.ts';

export interface ActivitiesOptions {
  call: Call;
  isReady(): boolean;
  store: Store;
  /** Something that shows has changed. */
  onChanged(): void;
}

export interface Activities {
  marks: Marks;
  typing: Typing;
  presence: PresenceWatch;
  contacts: ContactsWatch;
  threads: Threads;
  drafts: Drafts;
  /** There is a new connection: what waits goes out, and what may have changed is asked for. */
  flush(): void;
  close(): void;
}

export function createActivities(options: ActivitiesOptions): Activities {
  const marks = createMarks(options);
  const typing = createTyping(options);
  const presence = createPresenceWatch(options);
  const contacts = createContactsWatch(options);
  const threads = createThreads(options);
  const drafts = createDrafts(options);
  return {
    marks,
    typing,
    presence,
    contacts,
    threads,
    drafts,
    flush() {
      for (const each of [marks, presence, contacts, threads, drafts]) each.flush();
    },
    close() {
      marks.close();
      drafts.close();
      typing.clear();
    },
  };
}

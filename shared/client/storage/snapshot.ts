/** Keeps the state of the store: each conversation by itself, and only what has changed. */
import type { Contact, Self } from '../contract.ts';
import { areSame } from '../live/live.ts';
import { withNewestOnly } from '../store/conversation.ts';
import { EMPTY, type Kept, type State } from '../store/state.ts';
import type { Owned } from './owned.ts';

/** Another form of what is stored takes another number: an older one is then left aside. */
const VERSION = 1;
/** How many messages of a conversation are stored. */
const STORED_MESSAGES = 200;
const CONVERSATION = 'conversation/';

interface Meta {
  version: number;
  me: State['me'];
  since: State['since'];
  /** The conversations that are there. */
  ids: string[];
}

export interface Snapshot {
  /** What was kept; nothing where that is nothing. */
  restore(): Promise<State | undefined>;
  /** Writes what has changed since the last time. */
  save(state: State): Promise<void>;
}

export function createSnapshot(owned: Owned): Snapshot {
  const saved = new Map<string, Kept>();
  let savedMeta: Meta | undefined;
  let savedContacts: State['contacts'] | undefined;

  return {
    async restore() {
      const meta = await owned.read<Meta>('meta');
      if (meta?.version !== VERSION) return undefined;
      const conversations = new Map<string, Kept>();
      const found = await Promise.all(meta.ids.map((id) => owned.read<Kept>(CONVERSATION + id)));
      found.forEach((kept, i) => {
        if (kept) conversations.set(meta.ids[i]!, kept);
      });
      for (const [id, kept] of conversations) saved.set(id, kept);
      const contacts = (await owned.read<Contact[]>('contacts')) ?? [];
      return {
        ...EMPTY,
        me: meta.me as Self | undefined,
        conversations,
        contacts: new Map(contacts.map((contact) => [contact.contact_id, contact])),
        // What is lacking is listed only where all is.
        since: conversations.size === meta.ids.length ? meta.since : undefined,
      };
    },
    async save(state) {
      const { me, since, conversations, contacts } = state;
      let isComplete = true;
      for (const [id, kept] of conversations) {
        if (saved.get(id) === kept) continue;
        if (await owned.write(CONVERSATION + id, withNewestOnly(kept, STORED_MESSAGES))) saved.set(id, kept);
        else isComplete = false;
      }
      if (contacts !== savedContacts && (await owned.write('contacts', [...contacts.values()])))
        savedContacts = contacts;
      // Last: it says what was there at `since`, so all of that has to be.
      if (!isComplete) return;
      const meta: Meta = { version: VERSION, me, since, ids: [...conversations.keys()] };
      if (!savedMeta || !isSame(savedMeta, meta)) {
        if (!(await owned.write('meta', meta))) return;
        savedMeta = meta;
      }
      for (const id of [...saved.keys()].filter((one) => !conversations.has(one))) {
        if (await owned.remove(CONVERSATION + id)) saved.delete(id);
      }
    },
  };
}

function isSame(one: Meta, other: Meta): boolean {
  return one.me === other.me && one.since === other.since && areSame(one.ids, other.ids);
}

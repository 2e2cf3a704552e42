/** The items of an outbox, in memory and on the shelf of their owner. */
import type { Item } from './item.ts';
import type { Shelf } from './shelf.ts';

/** The pause before storing is tried again, in milliseconds. */
const STORE_AGAIN_MS = 5000;

/** An item, and whether it is on the shelf; `failing` where that was tried in vain. */
interface Entry {
  item: Item;
  stored: 'not yet' | 'yes' | 'failing';
}

export interface EntriesOptions {
  /** The items are others now. */
  onChanged(): void;
  /** The shelf has changed: others who use it have to look. */
  onStored(): void;
  /** An item may go out from now on. */
  onSendable(item: Item): void;
}

export interface Entries {
  /** All, in order. */
  items(): readonly Item[];
  get(id: string): Item | undefined;
  /** Whether storing was tried: nothing goes out before. */
  isSendable(id: string): boolean;
  /** Adds an item, or puts it in place of the one with its id. */
  keep(item: Item): void;
  /** @returns whether there was one */
  remove(id: string): boolean;
  /** Puts what was added so far on its owner's shelf, and takes what waits there. */
  open(shelf: Shelf): Promise<void>;
  /** Looks at the shelf: somebody else may have changed it. */
  reread(): Promise<void>;
  /** Resolves when the writes asked for so far are done. */
  settled(): Promise<void>;
  close(): void;
}

export function createEntries({ onChanged, onStored, onSendable }: EntriesOptions): Entries {
  const entries = new Map<string, Entry>();
  let sorted: readonly Item[] = [];
  let shelf: Shelf | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  /** Ends with the last of what is to be done with the shelf: one thing after the other. */
  let work: Promise<void> = Promise.resolve();

  function changed(): void {
    sorted = [...entries.values()].map(({ item }) => item).sort((one, other) => (one.order < other.order ? -1 : 1));
    onChanged();
  }

  function withShelf(act: (shelf: Shelf) => Promise<void>): Promise<void> {
    work = work.then(() => shelf && act(shelf));
    return work;
  }

  function put(entry: Entry): void {
    void withShelf(async (to) => {
      if (entries.get(entry.item.id) !== entry) return;
      const isStored = await to.put(entry.item);
      entry.stored = isStored ? 'yes' : 'failing';
      if (isStored) onStored();
      else again ??= setTimeout(storeAgain, STORE_AGAIN_MS);
      onSendable(entry.item);
    });
  }

  function storeAgain(): void {
    again = undefined;
    for (const entry of entries.values()) if (entry.stored === 'failing') put(entry);
  }

  /** @param kept what is on the shelf. @returns whether anything is other than it was */
  function take(kept: readonly Item[]): boolean {
    const ids = new Set(kept.map(({ id }) => id));
    const removed = [...entries].filter(([id, { stored }]) => stored === 'yes' && !ids.has(id));
    for (const [id] of removed) entries.delete(id);
    const other = kept.filter((item) => {
      const known = entries.get(item.id);
      return !known || (known.stored === 'yes' && !known.item.failed !== !item.failed);
    });
    for (const item of other) entries.set(item.id, { item, stored: 'yes' });
    return removed.length > 0 || other.length > 0;
  }

  const reread = () =>
    withShelf(async (from) => {
      if (take(await from.read())) changed();
      for (const item of sorted) onSendable(item);
    });

  return {
    items: () => sorted,
    get: (id) => entries.get(id)?.item,
    isSendable: (id) => (entries.get(id)?.stored ?? 'not yet') !== 'not yet',
    keep(item) {
      const entry: Entry = { item, stored: 'not yet' };
      entries.set(item.id, entry);
      changed();
      put(entry);
    },
    remove(id) {
      const entry = entries.get(id);
      if (!entry) return false;
      entries.delete(id);
      changed();
      void withShelf(async (from) => {
        if (await from.remove(entry.item)) onStored();
      });
      return true;
    },
    async open(opened) {
      shelf = opened;
      for (const entry of entries.values()) put(entry);
      await reread();
    },
    reread,
    settled: () => work,
    close: () => clearTimeout(again),
  };
}

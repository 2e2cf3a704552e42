/** Ties a client to its user's part of the storage: what is kept comes back, and of several clients one writes and sends. */
import type { State } from '../store/state.ts';
import { withLock } from './locks.ts';
import { createNews } from './news.ts';
import { type ClientWarning, type Owned, ownedBy } from './owned.ts';
import { createSnapshot, type Snapshot } from './snapshot.ts';
import type { Storage } from './storage.ts';

/** How long changes are gathered before they are written, in milliseconds. */
const GATHER_MS = 500;
/** How long it is not told again that the storage fails, in milliseconds. */
const WARN_AGAIN_MS = 30_000;

export interface PersistenceOptions {
  storage: Storage;
  state(): State;
  onWarning(warning: ClientWarning): void;
  /** This client sends from now on. */
  onLead(): void;
  /** Another client has changed what is stored. */
  onNews(): void;
}

export interface Persistence {
  /** Takes the part of a user. @returns it, and what was kept there */
  open(owner: string): Promise<{ owned: Owned; restored: State | undefined }>;
  /** The state has changed. */
  changed(): void;
  /** The outbox has changed: other clients are told. */
  tell(): void;
  /** Writes what is to be written and lets go. @param last what is to be awaited before */
  close(last: Promise<void>): Promise<void>;
}

/** Ends when what clients that were closed had to write is written, by storage: who opens it then has to wait for it. */
const closing = new WeakMap<Storage, Promise<unknown>>();

export function createPersistence({ storage, state, onWarning, onLead, onNews }: PersistenceOptions): Persistence {
  const ended = new AbortController();
  let snapshot: Snapshot | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let leads = false;
  let saving: Promise<void> = Promise.resolve();
  let release = () => {};
  let news: { tell(): void; close(): void } | undefined;
  /** When it was last told that it does not work: a full storage refuses every write. */
  let warnedAt = 0;

  function warn(warning: ClientWarning): void {
    if (warning.code === 'storage_failed') {
      if (Date.now() - warnedAt < WARN_AGAIN_MS) return;
      warnedAt = Date.now();
    }
    onWarning(warning);
  }

  function save(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    saving = saving.then(async () => {
      if (snapshot && leads) await snapshot.save(state());
    });
    return saving;
  }

  function lead(name: string): void {
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const task = async () => {
      if (ended.signal.aborted) return;
      leads = true;
      onLead();
      void save();
      await held;
    };
    withLock(storage, name, task, ended.signal).catch((cause: unknown) => {
      if (ended.signal.aborted) return;
      warn({ code: 'storage_failed', message: 'the storage gives no lock', cause });
      // Two that send harm nobody: the server takes each message once.
      leads = true;
      onLead();
    });
  }

  return {
    async open(owner) {
      await closing.get(storage);
      const owned = ownedBy(storage, owner, warn);
      const opened = createSnapshot(owned);
      const restored = await opened.restore();
      snapshot = opened;
      if (!ended.signal.aborted) {
        news = createNews(storage, owned.prefix, onNews);
        lead(`${owned.prefix}outbox`);
      }
      return { owned, restored };
    },
    changed() {
      if (leads && !ended.signal.aborted) timer ??= setTimeout(save, GATHER_MS);
    },
    tell: () => news?.tell(),
    close(last) {
      const done = last.then(save).finally(() => {
        ended.abort();
        release();
        news?.close();
      });
      const all = Promise.allSettled([closing.get(storage), done]);
      closing.set(storage, all);
      return done;
    },
  };
}

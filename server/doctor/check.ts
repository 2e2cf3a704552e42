/** What a check of the stored data is, and what it finds. */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Collections } from '../model/collections.ts';

/** Something stored that contradicts something else. */
export interface Finding {
  /** Which document, or what is missing: ids and field names only. The same text names the same finding again. */
  what: string;
  /**
   * Mends it from what other documents say; absent where nothing tells what was there. Takes effect only while what was
   * seen still stands, so that it is safe beside a running server.
   */
  repair?: () => Promise<unknown>;
}

export interface CheckContext {
  db: Db;
  collections: Collections;
  store: MessageStore;
  bytes: StoredBytes;
  /** The database's time. */
  clock(): Date;
  log: Logger;
}

/** The bytes of uploads, wherever they are kept. */
export interface StoredBytes {
  /** The keys of everything that is stored. */
  keys(): AsyncIterable<string>;
  /** Which of the keys have something stored under them. */
  has(keys: string[]): Promise<Set<string>>;
  remove(key: string): Promise<void>;
}

export interface Check {
  /** As in the report, e.g. `seq gaps`. */
  name: string;
  /** Reads what it must, in bounded batches, and yields what is wrong as it finds it. */
  find(context: CheckContext): AsyncIterable<Finding>;
}

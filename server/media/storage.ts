/**
 * Where the bytes of uploads are kept: the one interface that a backend implements. Keys are random and name bytes that
 * never change; a key is written once.
 */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';

/** Part of the stored bytes: from `start` up to, not including, `end`. */
export interface ByteRange {
  start: number;
  end: number;
}

export interface MediaStorage {
  /**
   * Stores a finished local file. When the promise resolves, the bytes are as durable as the backend makes them and
   * every node can read them; the local file may be gone.
   * @throws ContractError `unavailable` when the backend cannot be reached: nothing, or an unreadable part, is stored
   */
  store(key: string, file: string): Promise<void>;
  /**
   * Opens stored bytes for reading; no more than about a megabyte is read ahead of whoever consumes the stream.
   * @param range not empty, and within what is stored
   * @throws NotStored when there is nothing under the key
   */
  read(key: string, range: ByteRange): Promise<Readable>;
  /** Removes what is stored under a key, also a part that a failure left; nothing there is fine too. */
  remove(key: string): Promise<void>;
}

/** There is nothing under a key: it was removed, perhaps while it was being read. */
export class NotStored extends Error {}

/** A new key: 96 random bits in the form that every backend can take for an id of its own. */
export function newKey(): string {
  return randomBytes(12).toString('hex');
}

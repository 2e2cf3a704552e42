/** The interface of storage backends: bytes under random keys. A key is written once; its bytes never change. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';

/** A part of stored bytes: from `start` up to, but not including, `end`. */
export interface ByteRange {
  start: number;
  end: number;
}

export interface MediaStorage {
  /**
   * Stores a complete local file. Once the promise resolves, the bytes are as durable as the backend makes them and
   * readable on every node; the local file may be gone.
   * @throws ContractError `unavailable` when the backend cannot be reached: nothing, or an unreadable part, is stored
   */
  store(key: string, file: string): Promise<void>;
  /**
   * Opens stored bytes for reading. Reads at most about a megabyte ahead of the consumer.
   * @param range not empty, and within the stored bytes
   * @throws NotStored when nothing is stored under the key
   */
  read(key: string, range: ByteRange): Promise<Readable>;
  /** Removes everything stored under a key, including a part left by a failure. Does nothing if nothing is there. */
  remove(key: string): Promise<void>;
}

/** Nothing is stored under a key: it was removed, perhaps while it was being read. */
export class NotStored extends Error {}

/** A new key: 96 random bits in hex, a form that every backend accepts as an id. */
export function newKey(): string {
  return randomBytes(12).toString('hex');
}

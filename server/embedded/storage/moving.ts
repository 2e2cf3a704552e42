/**
 * What a move of the database to another one needs while commands go on: which documents have changed, and a time in which
 * none does.
 */
import { randomBytes } from 'node:crypto';
import { Fault } from '../values/fault.ts';
import type { Collection } from './collection.ts';
import { recordId } from './index-entries.ts';
import { adviceOn, type Moved, writeMoved } from './moved.ts';
import type { Records } from './records.ts';

/** How many changed documents are remembered; with more, nothing is known of any. */
const MOST_CHANGES = 200_000;
/** TemporarilyUnavailable. */
const NOT_NOW = 365;

/** A document that was inserted, changed or removed. */
export interface ChangedDocument {
  /** `database.collection` */
  namespace: string;
  id: unknown;
}

export interface Moving {
  /** Within a write. @throws Fault TemporarilyUnavailable while writes are paused, and once the database was moved */
  assertWritable(): void;
  /** The records, with a note of each document that they change. */
  watched(records: Records): Records;
  /** Begins to note changes. @returns the name of the notes: another one if some are missing */
  track(): string;
  /**
   * The documents that changed, each once.
   * @param after forgets the notes up to this one: their changes were carried over
   * @returns at most `limit`, and up to which note
   * @throws Fault CursorNotFound where the notes are not those of the name
   */
  changes(tracker: string, after: number, limit: number): { changes: ChangedDocument[]; upTo: number };
  /** To be called when writes were undone: some that are noted may have been carried over before. */
  undone(): void;
  /** Refuses writes for so many milliseconds, from now on. @returns which pause it is: one that goes on stays the same */
  pause(ms: number): number;
  resume(): void;
  /** Ends all writing for good. @throws Fault IllegalOperation unless that pause goes on */
  finish(pause: number, moved: Moved): void;
  /** To be called when the database closes. */
  close(): void;
}

/**
 * @param folder that of the database
 * @param report told why writes are refused, and with undefined that they are taken again
 */
export function createMoving(folder: string, report: (reason: string | undefined) => void): Moving {
  let refusing: string | undefined;
  let isFinished = false;
  let pauses = 0;
  let resuming: NodeJS.Timeout | undefined;
  const notes = createNotes();

  function refuse(reason: string | undefined): void {
    clearTimeout(resuming);
    if (isFinished || reason === refusing) return;
    refusing = reason;
    report(reason);
  }

  return {
    assertWritable() {
      if (refusing !== undefined) throw new Fault(NOT_NOW, `the database takes no writes: ${refusing}`);
    },
    watched: (records) => ({
      ...records,
      insert(collection, doc, raw) {
        notes.add(collection, doc._id);
        return records.insert(collection, doc, raw);
      },
      replace(collection, before, after, raw) {
        notes.add(collection, before._id);
        return records.replace(collection, before, after, raw);
      },
      remove(collection, doc) {
        notes.add(collection, doc._id);
        records.remove(collection, doc);
      },
    }),
    track: notes.begin,
    changes: notes.take,
    undone: notes.forget,
    pause(ms) {
      if (refusing === undefined) pauses++;
      refuse('it is being moved, which takes seconds');
      resuming = setTimeout(() => refuse(undefined), ms);
      return pauses;
    },
    resume: () => refuse(undefined),
    finish(pause, moved) {
      if (refusing === undefined || pause !== pauses) throw new Fault(20, 'writes were taken again');
      writeMoved(folder, moved);
      refuse(adviceOn(moved, folder));
      isFinished = true;
    },
    close: () => clearTimeout(resuming),
  };
}

/** Notes of changed documents, numbered in the order of their last change. */
function createNotes() {
  let name: string | undefined;
  let last = 0;
  let notes = new Map<string, ChangedDocument & { number: number }>();

  function forget(): void {
    name = undefined;
    notes = new Map();
  }

  return {
    forget,
    begin() {
      name ??= randomBytes(8).toString('hex');
      return name;
    },
    add({ namespace }: Collection, id: unknown): void {
      if (name === undefined) return;
      const key = `${namespace} ${recordId(id).toString('latin1')}`;
      // To the end: they are in the order of their numbers.
      notes.delete(key);
      notes.set(key, { namespace, id, number: ++last });
      if (notes.size > MOST_CHANGES) forget();
    },
    take(tracker: string, after: number, limit: number) {
      if (tracker !== name) throw new Fault(43, 'what changed since then is not known');
      for (const [key, { number }] of notes) {
        if (number > after) break;
        notes.delete(key);
      }
      const changes: ChangedDocument[] = [];
      let upTo = after;
      for (const { namespace, id, number } of notes.values()) {
        if (changes.length === limit) break;
        changes.push({ namespace, id });
        upTo = number;
      }
      return { changes, upTo };
    },
  };
}

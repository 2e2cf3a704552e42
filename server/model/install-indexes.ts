/**
 * Brings the indexes of a database to what `indexes.ts` declares. An index that an earlier version, or an operator, made
 * otherwise is in the way of the declared one: its expiry is changed, or it is dropped and made anew. Indexes of other
 * keys are left alone. Safe while other nodes do the same.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db, IndexDescription, IndexDescriptionInfo } from 'mongodb';
import type { Logger } from 'pino';
import { INDEX_NOT_FOUND, ignoring } from './failures.ts';
import { INDEXES } from './indexes.ts';

/** IndexAlreadyExists, IndexOptionsConflict, IndexKeySpecsConflict. */
const IN_THE_WAY = new Set<unknown>([68, 85, 86]);
/** ConflictingOperationInProgress, IndexBuildAborted, BackgroundOperationInProgress: another node is at it. */
const UNDER_WAY = new Set<unknown>([117, 276, 12_586, 12_587]);
const MAX_ATTEMPTS = 20;
const PAUSE_MS = 250;
/** How often the log says that a build goes on, in milliseconds. */
const SAY_MS = 10_000;

export interface InstallIndexesOptions {
  /** By the collection's name. */
  declared?: Record<string, IndexDescription[]>;
  /** How often the log says that a build goes on, in milliseconds. */
  sayMs?: number;
}

export async function installIndexes(db: Db, log: Logger, options: InstallIndexesOptions = {}): Promise<void> {
  const { declared = INDEXES, sayMs = SAY_MS } = options;

  /** A build over much data takes long, and in a replica set it waits for members that are away. The log says so. */
  async function build(collection: Collection, indexes: IndexDescription[]): Promise<void> {
    const startedAt = performance.now();
    const saying = setInterval(() => {
      const waited_s = Math.round((performance.now() - startedAt) / 1000);
      const names = indexes.map(({ name }) => name);
      log.warn({ collection: collection.collectionName, indexes: names, waited_s }, 'the start waits for indexes');
    }, sayMs);
    try {
      await collection.createIndexes(indexes);
    } finally {
      clearInterval(saying);
    }
  }

  async function installOn(collection: Collection, indexes: IndexDescription[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await build(collection, indexes);
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (attempt === MAX_ATTEMPTS || !(IN_THE_WAY.has(code) || UNDER_WAY.has(code))) throw error;
        if (IN_THE_WAY.has(code)) await makeWay(db, collection, indexes, log);
        else await sleep(PAUSE_MS);
      }
    }
  }

  const some = Object.entries(declared).filter(([, indexes]) => indexes.length > 0);
  await Promise.all(some.map(([name, indexes]) => installOn(db.collection(name), indexes)));
}

/** Changes or drops what keeps the declared indexes from being made. */
async function makeWay(db: Db, collection: Collection, declared: IndexDescription[], log: Logger): Promise<void> {
  const { collectionName } = collection;
  for (const stored of await collection.indexes()) {
    const { name = '' } = stored;
    const wanted =
      declared.find((one) => one.name === name) ?? declared.find((one) => describe(one) === describe(stored));
    const expireAfterSeconds = wanted?.expireAfterSeconds;
    const isSame = wanted !== undefined && describe(wanted) === describe(stored);
    const isRenamed = wanted?.name !== name;
    if (!wanted || (isSame && !isRenamed && expireAfterSeconds === stored.expireAfterSeconds)) continue;
    if (isSame && !isRenamed && expireAfterSeconds !== undefined && stored.expireAfterSeconds !== undefined) {
      log.warn({ collection: collectionName, index: name, expireAfterSeconds }, 'the expiry of an index is changed');
      await db.command({ collMod: collectionName, index: { name, expireAfterSeconds } }).catch(unlessGone);
    } else {
      log.warn({ collection: collectionName, index: name }, 'an index differs from what is declared: it is made anew');
      await collection.dropIndex(name).catch(unlessGone);
    }
  }
}

/** Whether an index is there under its name as it is declared. */
export function isInstalled(declared: IndexDescription, stored: readonly IndexDescriptionInfo[]): boolean {
  const found = stored.find(({ name }) => name === declared.name);
  if (!found || describe(found) !== describe(declared)) return false;
  return found.expireAfterSeconds === declared.expireAfterSeconds;
}

/** What makes two indexes the same to MongoDB, except their expiry, as text. */
function describe(index: IndexDescription | IndexDescriptionInfo): string {
  const { key, unique = false, sparse = false, partialFilterExpression = null, collation = null } = index;
  const keys = key instanceof Map ? [...key] : Object.entries(key);
  return JSON.stringify([keys, Boolean(unique), Boolean(sparse), partialFilterExpression, collation]);
}

/** Another node was first. */
const unlessGone = ignoring(INDEX_NOT_FOUND);

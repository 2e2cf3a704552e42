/** Makes some documents of the target what they are in the source, and reads them back. */
import { type AnyBulkWriteOperation, type BulkWriteOptions, MongoServerError } from 'mongodb';
import { isDuplicate, refusals } from '../model/failures.ts';
import { type AnyCollection, areEqual, type Exact, type Id, keyOf } from './documents.ts';
import { type Expiry, isExpiring } from './expiry.ts';

const UNORDERED: BulkWriteOptions = { ordered: false };

export interface Part {
  target: AnyCollection;
  expiries: Expiry[];
  /** What the source has. */
  wanted: Exact[];
  /** Reads the same part of the target. */
  read(): Promise<Exact[]>;
}

/**
 * @returns the ids of documents that a unique index refuses until others have changed, too: they are then not in the
 *   target
 * @throws Error with a one-line message where a document is refused for another reason, or is not read as it was
 *   written
 */
export async function reconcile({ target, expiries, wanted, read }: Part): Promise<Id[]> {
  const present = new Map((await read()).map((document) => [keyOf(document._id), document]));
  const missing: Exact[] = [];
  const changed: Exact[] = [];
  for (const document of wanted) {
    const key = keyOf(document._id);
    const there = present.get(key);
    present.delete(key);
    if (!there) missing.push(document);
    else if (!areEqual(there, document)) changed.push(document);
  }
  const gone = [...present.values()];
  if (missing.length + changed.length + gone.length === 0) return [];
  if (gone.length > 0) await target.deleteMany({ _id: { $in: gone.map(({ _id }) => _id) } });
  const deferred = await write(target, missing, changed);
  await check(await read(), wanted, { target, expiries, deferred });
  return deferred.map(({ _id }) => _id);
}

/** @returns the documents that are refused as duplicates */
async function write(target: AnyCollection, missing: Exact[], changed: Exact[]): Promise<Exact[]> {
  const refused = await tryAll(target, [
    ...changed.map((document) => ({ document, operation: replacement(document) })),
    ...missing.map((document) => ({ document, operation: { insertOne: { document } } })),
  ]);
  if (refused.length === 0) return [];
  // They may be in each other's way: two that have exchanged what is unique.
  const ids = refused.map(({ _id }) => _id);
  await target.deleteMany({ _id: { $in: ids } });
  return tryAll(
    target,
    refused.map((document) => ({ document, operation: { insertOne: { document } } })),
  );
}

const replacement = (document: Exact): AnyBulkWriteOperation<Exact> => ({
  replaceOne: { filter: { _id: document._id }, replacement: document },
});

interface Attempt {
  document: Exact;
  operation: AnyBulkWriteOperation<Exact>;
}

/** Tries again as long as that helps. @returns the documents that are refused as duplicates */
async function tryAll(target: AnyCollection, attempts: Attempt[]): Promise<Exact[]> {
  for (let rest = attempts; ; ) {
    if (rest.length === 0) return [];
    const refused = await tryOnce(target, rest);
    if (refused.length === rest.length) return refused.map(({ document }) => document);
    rest = refused;
  }
}

async function tryOnce(target: AnyCollection, attempts: Attempt[]): Promise<Attempt[]> {
  try {
    await target.bulkWrite(
      attempts.map(({ operation }) => operation),
      UNORDERED,
    );
    return [];
  } catch (error) {
    const refused = refusals(error);
    if (!refused) throw error;
    for (const [at, refusal] of refused) {
      if (isDuplicate(refusal)) continue;
      const { document } = attempts[at]!;
      throw new MongoServerError({
        message: `the target refuses the document ${String(document._id)} of ${target.collectionName} (code ${refusal.code}); letsapp doctor may say why`,
        code: refusal.code,
      });
    }
    return attempts.filter((_, at) => refused.has(at));
  }
}

/** @throws Error where what is read is not what was written */
async function check(
  found: Exact[],
  wanted: Exact[],
  { target, expiries, deferred }: Pick<Part, 'target' | 'expiries'> & { deferred: Exact[] },
): Promise<void> {
  const read = new Map(found.map((document) => [keyOf(document._id), document]));
  const left = new Set(deferred);
  const now = new Date();
  let count = 0;
  for (const document of wanted) {
    const there = read.get(keyOf(document._id));
    if (there) count++;
    const isRight = there ? areEqual(there, document) : left.has(document) || isExpiring(document, expiries, now);
    if (!isRight) {
      throw new Error(
        `the document ${String(document._id)} of ${target.collectionName} is not in the target as it was written: ` +
          'does something else write there?',
      );
    }
  }
  if (count < found.length) throw new Error(`something else writes to ${target.collectionName} of the target`);
}

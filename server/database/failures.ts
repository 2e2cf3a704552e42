/** What the driver's errors mean to the contract. */
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';

const DUPLICATE_KEY = 11_000;

/** Error codes of a MongoDB that is there but can't serve now (not primary, shutting down, timed out on the way). */
const TRANSIENT_CODES = new Set([6, 7, 50, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

const TRANSIENT_NAMES = new Set([
  'MongoOperationTimeoutError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongoCursorExhaustedError',
  'PoolClearedOnNetworkError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
  'WaitQueueTimeoutError',
]);

/** Whether the store could not be reached or did not answer in time: the contract's `unavailable`. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (TRANSIENT_NAMES.has(error.name)) return true;
  if (error instanceof MongoServerError && typeof error.code === 'number' && TRANSIENT_CODES.has(error.code))
    return true;
  return error.hasErrorLabel('RetryableWriteError');
}

/**
 * Whether a unique index refused a write.
 * @param index the index's name, if it matters which one it was
 */
export function isDuplicateKey(error: unknown, index?: string): boolean {
  if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) return false;
  return index === undefined || duplicateIndex(error) === index;
}

/** The name of the unique index that refused a write, as the server's message tells. */
export function duplicateIndex(error: MongoServerError): string | undefined {
  const message = error instanceof MongoBulkWriteError ? firstWriteError(error)?.errmsg : error.message;
  return /index: (\S+) dup key/.exec(message ?? '')?.[1];
}

/** The first refusal of a bulk write: the position in the batch, its code and message. */
export function firstWriteError(
  error: MongoBulkWriteError,
): { index: number; code: number; errmsg: string | undefined } | undefined {
  const [first] = [error.writeErrors].flat();
  return first && { index: first.index, code: first.code, errmsg: first.errmsg };
}

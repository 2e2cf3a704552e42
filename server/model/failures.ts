/** What the MongoDB driver's errors mean to the contract. */
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';

const DUPLICATE_KEY = 11_000;
const OUT_OF_DISK_SPACE = 14_031;

/**
 * Error codes of a MongoDB that answers but cannot serve now: it is not primary, is shutting down, timed out, has too few
 * members to keep a write, or no room on its disk.
 */
const TRANSIENT_CODES = new Set([6, 7, 50, 64, 89, 91, 100, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031]);

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

/** Node's codes for a connection that has just closed; when it writes to one, the driver passes them on as they are. */
const CONNECTION_CODES = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/** Whether an error is the contract's `unavailable`: the store could not be reached or did not answer in time. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError))
    return CONNECTION_CODES.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (TRANSIENT_NAMES.has(error.name)) return true;
  // A bulk write that could not be carried out at all wraps the cause, and then has neither refusals nor a code.
  if (error instanceof MongoBulkWriteError && !refusals(error) && error.code === undefined) return true;
  if (error instanceof MongoServerError && typeof error.code === 'number' && TRANSIENT_CODES.has(error.code))
    return true;
  return error.hasErrorLabel('RetryableWriteError');
}

/** Whether the store has no room for a write; it still answers reads. */
export function isOutOfDiskSpace(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === OUT_OF_DISK_SPACE;
}

/** Why the store refused a write: one entry of a bulk write, or the error of a single one. */
export interface Refusal {
  code: number;
  errmsg: string;
}

/**
 * Whether a unique index refused a write.
 * @param index the name of the index, if only that one counts
 */
export function isDuplicateKey(error: unknown, index?: string): boolean {
  if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) return false;
  return index === undefined || violatedIndex(error.message) === index;
}

/** @returns the name of the unique index that refused a write; undefined when there was another reason */
export function duplicateIndex({ code, errmsg }: Refusal): string | undefined {
  return code === DUPLICATE_KEY ? (violatedIndex(errmsg) ?? 'unknown') : undefined;
}

function violatedIndex(message: string): string | undefined {
  return /index: (\S+) dup key/.exec(message)?.[1];
}

/** @returns the refusals of a bulk write by position in the batch; undefined when it failed as a whole */
export function refusals(error: unknown): Map<number, Refusal> | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const found = [error.writeErrors].flat();
  if (found.length === 0) return undefined;
  return new Map(found.map(({ index, code, errmsg }) => [index, { code, errmsg: errmsg ?? '' }]));
}

/** What the MongoDB driver's errors mean to the contract. */
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} from 'mongodb';

const DUPLICATE_KEY = 11_000;
export const INDEX_NOT_FOUND = 27;

/** Error codes, by MongoDB's names for them, of a server that answers but cannot serve now. */
const TRANSIENT = {
  HostUnreachable: 6,
  HostNotFound: 7,
  LockTimeout: 24,
  CursorNotFound: 43,
  MaxTimeMSExpired: 50,
  WriteConcernTimeout: 64,
  NetworkTimeout: 89,
  ShutdownInProgress: 91,
  UnsatisfiableWriteConcern: 100,
  WriteConflict: 112,
  FailedToSatisfyReadPreference: 133,
  ReadConcernMajorityNotAvailableYet: 134,
  // Its index was dropped: another node renews it.
  QueryPlanKilled: 175,
  PrimarySteppedDown: 189,
  NetworkInterfaceExceededTimeLimit: 202,
  CursorKilled: 237,
  ExceededTimeLimit: 262,
  TemporarilyUnavailable: 365,
  IngressRequestRateLimitExceeded: 462,
  SocketException: 9001,
  LegacyNotPrimary: 10_058,
  NotWritablePrimary: 10_107,
  InterruptedAtShutdown: 11_600,
  Interrupted: 11_601,
  InterruptedDueToReplStateChange: 11_602,
  StaleConfig: 13_388,
  NotPrimaryNoSecondaryOk: 13_435,
  NotPrimaryOrSecondary: 13_436,
  OutOfDiskSpace: 14_031,
};
const TRANSIENT_CODES = new Set<unknown>(Object.values(TRANSIENT));

/** The labels by which the server and the driver mark what may be tried again. */
const TRANSIENT_LABELS = [
  'RetryableWriteError',
  'RetryableError',
  'SystemOverloadedError',
  'TransientTransactionError',
];

const TRANSIENT_NAMES = new Set([
  'MongoOperationTimeoutError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
  'MongoClientClosedError',
  'MongoServerClosedError',
  'MongoExpiredSessionError',
  'MongoCursorExhaustedError',
  'MongoStalePrimaryError',
  'PoolClearedOnNetworkError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
  'WaitQueueTimeoutError',
]);

/** Node's codes for a connection that has just closed; when it writes to one, the driver passes them on as they are. */
const CONNECTION_CODES = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/**
 * Whether an error is the contract's `unavailable`: the store could not be reached, did not answer in time, or cannot say
 * that what it took will last. Whether it took effect is not known then.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError))
    return CONNECTION_CODES.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (error instanceof MongoWriteConcernError) return true;
  if (TRANSIENT_NAMES.has(error.name) || TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label))) return true;
  return error instanceof MongoBulkWriteError ? isBulkUnavailable(error) : TRANSIENT_CODES.has(error.code);
}

/** Whether the store has no room for a write; it still answers reads. */
export function isOutOfDiskSpace(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === TRANSIENT.OutOfDiskSpace;
}

function isBulkUnavailable(error: MongoBulkWriteError): boolean {
  // The driver wraps what kept it from carrying out a bulk write at all.
  const cause: unknown = error.errorResponse;
  if (cause instanceof Error && cause !== error) return isUnavailable(cause);
  if (error.result?.getWriteConcernError()) return true;
  return [error, ...[error.writeErrors].flat()].some(({ code }) => TRANSIENT_CODES.has(code));
}

/** Why the store refused one write of a bulk. */
export interface Refusal {
  /** MongoDB's error code. */
  code: number;
}

/** Whether unique indexes refused a write, or all that was refused of a bulk, and nothing else went wrong. */
export function isDuplicateKey(error: unknown): boolean {
  if (!(error instanceof MongoServerError)) return false;
  const refused = refusals(error);
  return refused ? [...refused.values()].every(isDuplicate) : error.code === DUPLICATE_KEY;
}

/** Whether a unique index refused a write. Which one, only a look at the documents tells for sure. */
export function isDuplicate({ code }: Refusal): boolean {
  return code === DUPLICATE_KEY;
}

/** A refusal as the error of a single write. Without MongoDB's message, which may quote the document. */
export function refusalError({ code }: Refusal): Error {
  return new MongoServerError({ message: `the store refused a write (code ${code})`, code });
}

/** @returns the refusals of a bulk write by position in the batch; undefined when it failed as a whole */
export function refusals(error: unknown): Map<number, Refusal> | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const found = [error.writeErrors].flat();
  if (found.length === 0) return undefined;
  return new Map(found.map(({ index, code }) => [index, { code }]));
}

/** @returns a handler that swallows the server's errors of one code, and throws any other on */
export function ignoring(code: number): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof MongoServerError) || error.code !== code) throw error;
  };
}

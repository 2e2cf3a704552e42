import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { BSON, MongoBulkWriteError, MongoClient, MongoServerError, MongoWriteConcernError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isDuplicateKey, isUnavailable } from '../../server/model/failures.ts';

const TRANSIENT = [
  6, 7, 43, 50, 64, 89, 91, 100, 112, 133, 134, 189, 262, 365, 9001, 10107, 11600, 11602, 13435, 13436,
];
const labels = ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError'];

/** A bulk write of which some were refused, as the driver tells it. */
function bulkError(...codes: number[]): MongoBulkWriteError {
  const writeErrors = codes.map((code, index) => ({ code, index, errmsg: '' }));
  const result = { getWriteConcernError: () => undefined };
  return new MongoBulkWriteError({ message: '', code: codes[0]!, writeErrors } as never, result as never);
}

describe('the store is unavailable', () => {
  it('after a write to a connection that the other side has just closed', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.resume();
    await once(socket, 'end');
    const failed = once(socket, 'error');
    socket.write('too late');
    const [error] = await failed;
    expect(error.code).toBe('EPIPE');
    expect(isUnavailable(error)).toBe(true);
    server.close();
  });

  it('where it cannot be reached, for a bulk write too', async () => {
    const client = new MongoClient('mongodb://127.0.0.1:1/', { serverSelectionTimeoutMS: 100 });
    const collection = client.db().collection('c');
    for (const attempt of [() => collection.findOne(), () => collection.insertMany([{}])]) {
      expect(isUnavailable(await attempt().catch((error: unknown) => error))).toBe(true);
    }
    await client.close();
  });

  it.each(TRANSIENT)('by code %i, alone or among the refusals of a bulk write', (code) => {
    expect(isUnavailable(new MongoServerError({ message: '', code }))).toBe(true);
    expect(isUnavailable(bulkError(code))).toBe(true);
    expect(isUnavailable(bulkError(121, code))).toBe(true);
  });

  it.each(labels)('by the label %s', (label) => {
    expect(isUnavailable(new MongoServerError({ message: '', code: 1, errorLabels: [label] }))).toBe(true);
  });

  it('by any write concern error', () => {
    const writeConcernError = { code: 79, errmsg: '', errInfo: {} };
    expect(isUnavailable(new MongoWriteConcernError({ ok: 1, writeConcernError } as never))).toBe(true);
  });
});

describe('no other error means that', () => {
  it.each([
    ['a bug', new Error('a bug')],
    ['nothing', undefined],
    ['a refused document', new MongoServerError({ message: '', code: 121 })],
    ['refused documents', bulkError(121, 11_000)],
  ])('%s', (_name, error) => {
    expect(isUnavailable(error)).toBe(false);
  });

  it('a bulk write of what cannot be stored at all', () => {
    const cause = new BSON.BSONError('cannot serialize a circular structure');
    expect(isUnavailable(new MongoBulkWriteError(cause as never, {} as never))).toBe(false);
  });
});

it('a bulk write is refused as duplicate where all its refusals are duplicates', () => {
  expect(isDuplicateKey(bulkError(11_000, 11_000))).toBe(true);
  expect(isDuplicateKey(bulkError(11_000, 11_602))).toBe(false);
  expect(isDuplicateKey(new MongoServerError({ message: '', code: 11_000 }))).toBe(true);
});

import { ObjectId } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { fitAnswer } from '../../server/inbox/fit-answer.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';

const message = (rev: number, over: Partial<MessageDocument> = {}, bytes = 1) => ({
  message: { _id: new ObjectId(), rev, ...over } as MessageDocument,
  bytes,
});
const gaps = (...ids: string[]) => ids.map((id) => ({ id }));

const revsOf = (messages: MessageDocument[] | undefined) => messages?.map(({ rev }) => rev);

test('fills conversations in the order given, ascending by rev, and cuts at the limit', () => {
  const found = new Map([
    ['a', [message(2), message(1)]],
    ['b', [message(7), message(9), message(8)]],
    ['c', [message(1)]],
  ]);
  const { messages, incomplete } = fitAnswer(found, gaps('b', 'a', 'c'), 4);
  expect(revsOf(messages.get('b'))).toEqual([7, 8, 9]);
  expect(revsOf(messages.get('a'))).toEqual([1]);
  expect([...incomplete]).toEqual(['a', 'c']);
});

test('is complete with exactly as many messages as the limit allows', () => {
  const { messages, incomplete } = fitAnswer(new Map([['a', [message(1), message(2)]]]), gaps('a', 'b'), 2);
  expect(revsOf(messages.get('a'))).toEqual([1, 2]);
  expect([...incomplete]).toEqual([]);
});

test('ends early once the messages are large, but never without a message', () => {
  const large = 600 * 1024;
  const found = new Map([['a', [message(1, {}, large), message(2, {}, large)]]]);
  const { messages, incomplete } = fitAnswer(found, gaps('a'), 500);
  expect(revsOf(messages.get('a'))).toEqual([1]);
  expect([...incomplete]).toEqual(['a']);
});

test('keeps the newer of two versions of one message', () => {
  const _id = new ObjectId();
  const found = new Map([['a', [message(1, { _id }), message(2), message(3, { _id })]]]);
  expect(revsOf(fitAnswer(found, gaps('a'), 500).messages.get('a'))).toEqual([2, 3]);
});

describe('newest messages', () => {
  const newest = (...ids: string[]) => ids.map((id) => ({ id, newest: true }));

  test('are complete as they were found, ascending by rev', () => {
    const { messages, incomplete } = fitAnswer(new Map([['a', [message(5), message(7), message(2)]]]), newest('a'), 3);
    expect(revsOf(messages.get('a'))).toEqual([2, 5, 7]);
    expect([...incomplete]).toEqual([]);
  });

  test('wait for the next answer as a whole where there is no room for all', () => {
    const found = new Map([
      ['a', [message(1), message(2)]],
      ['b', [message(3), message(4)]],
      ['c', [message(5)]],
    ]);
    const { messages, incomplete } = fitAnswer(found, newest('a', 'b', 'c'), 3);
    expect(revsOf(messages.get('a'))).toEqual([1, 2]);
    expect([...incomplete]).toEqual(['b', 'c']);
  });

  test('of one conversation that are too large are complete with those that fit, and fill the answer', () => {
    const large = 300 * 1024;
    const found = new Map([['a', [message(9, {}, large), message(8, {}, large), message(7, {}, large)]]]);
    const { messages, incomplete } = fitAnswer(found, newest('a', 'b'), 500);
    expect(revsOf(messages.get('a'))).toEqual([8, 9]);
    expect([...incomplete]).toEqual(['b']);
  });
});

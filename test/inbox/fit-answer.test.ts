import { ObjectId } from 'mongodb';
import { expect, test } from 'vitest';
import { fitAnswer } from '../../server/inbox/fit-answer.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';

const message = (rev: number, over: Partial<MessageDocument> = {}) =>
  ({ _id: new ObjectId(), rev, content: '', ...over }) as MessageDocument;

const revsOf = (messages: MessageDocument[] | undefined) => messages?.map(({ rev }) => rev);

test('fills conversations in the order given, ascending by rev, and cuts at the limit', () => {
  const found = new Map([
    ['a', [message(2), message(1)]],
    ['b', [message(7), message(9), message(8)]],
    ['c', [message(1)]],
  ]);
  const { messages, incomplete } = fitAnswer(found, ['b', 'a', 'c'], 4);
  expect(revsOf(messages.get('b'))).toEqual([7, 8, 9]);
  expect(revsOf(messages.get('a'))).toEqual([1]);
  expect([...incomplete]).toEqual(['a', 'c']);
});

test('is complete with exactly as many messages as the limit allows', () => {
  const { messages, incomplete } = fitAnswer(new Map([['a', [message(1), message(2)]]]), ['a', 'b'], 2);
  expect(revsOf(messages.get('a'))).toEqual([1, 2]);
  expect([...incomplete]).toEqual([]);
});

test('ends early once the texts are large, but never without a message', () => {
  const content = 'x'.repeat(600 * 1024);
  const found = new Map([['a', [message(1, { content }), message(2, { content })]]]);
  const { messages, incomplete } = fitAnswer(found, ['a'], 500);
  expect(revsOf(messages.get('a'))).toEqual([1]);
  expect([...incomplete]).toEqual(['a']);
});

test('keeps the newer of two versions of one message', () => {
  const _id = new ObjectId();
  const found = new Map([['a', [message(1, { _id }), message(2), message(3, { _id })]]]);
  expect(revsOf(fitAnswer(found, ['a'], 500).messages.get('a'))).toEqual([2, 3]);
});

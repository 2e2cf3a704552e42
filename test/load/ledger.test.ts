import { expect, it } from 'vitest';
import { createRanges } from '../chaos/ranges.ts';
import { createLedger } from './ledger.ts';

function ledgerWith(...senders: number[]) {
  const findings: string[] = [];
  const ledger = createLedger('run-0:', (fault, words) => findings.push(`${fault}: ${words}`));
  const ids = senders.map((sender) => ledger.begin(sender, 5).clientMessageId);
  return { findings, ledger, ids };
}

function having(...seqs: number[]) {
  const ranges = createRanges();
  for (const seq of seqs) ranges.add(seq);
  return ranges;
}

it('what was acknowledged and somebody does not have is lost; what was not acknowledged is not', () => {
  const { ledger, findings } = ledgerWith(0, 1, 0);
  ledger.acknowledged(0, { seq: 1 });
  ledger.acknowledged(1, { seq: 2 });
  ledger.findLost([having(1, 2), having(1, 2)]);
  expect(findings).toEqual([]);
  ledger.findLost([having(1, 2), having(1)]);
  expect(findings).toEqual(['lost: run-0:1, acknowledged at seq 2']);
  expect(ledger.counts()).toEqual({ sent: 3, acknowledged: 2 });
});

it('a message with two seqs is doubled, and two messages with one seq are out of order', () => {
  const { ledger, findings, ids } = ledgerWith(0, 1);
  expect(ledger.known({ seq: 1, client_message_id: ids[0]! })).toBe(5);
  ledger.acknowledged(0, { seq: 1 });
  ledger.known({ seq: 1, client_message_id: ids[0]! });
  expect(findings).toEqual([]);
  ledger.known({ seq: 3, client_message_id: ids[0]! });
  expect(findings).toEqual(['doubled: run-0:0 at seq 1 and at 3']);
  ledger.known({ seq: 1, client_message_id: ids[1]! });
  expect(findings.at(-1)).toBe('outOfOrder: run-0:1 and run-0:0 at seq 1');
  expect(ledger.senderAt(1)).toBe(0);
  expect(ledger.last()).toBe(3);
});

it('messages that are not of the room are left alone', () => {
  const { ledger, findings } = ledgerWith(0);
  expect(ledger.known({ seq: 1, client_message_id: 'run-00:0' })).toBeUndefined();
  expect(ledger.known({ seq: 1 })).toBeUndefined();
  expect(ledger.senderAt(1)).toBeUndefined();
  expect(findings).toEqual([]);
});

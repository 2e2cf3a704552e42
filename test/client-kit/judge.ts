/** The verdict on a client: what it has sent and shown, against what it should have. */
import type { Said } from './peer.ts';

/** The texts that the client shows, in the order in which it does. */
export interface Report {
  /** Of the peer, in the conversation. */
  received: string[];
  /** Of the thread that hangs on `peer 1`. */
  thread: string[];
}

/** What was seen of the client. */
export interface Seen {
  connects: number[];
  readies: number;
  /** Commands that came before `session:ready` of their connection. */
  early: string[];
  syncs: { conversations?: Record<string, number> }[];
  delivered: number;
}

/**
 * @param count how many messages the client was to send
 * @param sent the texts that are stored of it, in their order
 * @returns what was wrong, a line each
 */
export function judge(count: number, sent: string[], report: Report | undefined, said: Said, seen: Seen): string[] {
  const wrong: string[] = [];
  const expected = Array.from({ length: count }, (_, i) => `client ${i + 1}`);
  compare('sent', sent, expected, wrong);
  if (report) {
    compare('received', report.received, said.conversation, wrong);
    compare('received in the thread', report.thread, said.thread, wrong);
  } else wrong.push('made no report');
  if (seen.early.length > 0) wrong.push(`sent commands before session:ready: ${[...new Set(seen.early)].join(', ')}`);
  if (seen.syncs.length < 2) wrong.push('did not ask sync after it came back');
  else if (!seen.syncs.some(({ conversations }) => Object.values(conversations ?? {}).some((rev) => rev > 0))) {
    wrong.push('asked sync for everything each time: it names no rev');
  }
  if (seen.delivered === 0) wrong.push('acknowledged no delivery (message:delivered)');
  return wrong;
}

function compare(what: string, actual: string[], expected: string[], wrong: string[]): void {
  const missing = expected.filter((one) => !actual.includes(one));
  const doubled = expected.filter((one) => actual.indexOf(one) !== actual.lastIndexOf(one));
  const known = new Set(expected);
  const strange = actual.filter((one) => !known.has(one));
  if (missing.length > 0) wrong.push(`${what} not at all: ${missing.join(', ')}`);
  if (doubled.length > 0) wrong.push(`${what} more than once: ${doubled.join(', ')}`);
  if (strange.length > 0) wrong.push(`${what} beside that: ${strange.join(', ')}`);
  const first =
    expected.filter((one) => actual.includes(one)).join() ===
    [...new Set(actual.filter((one) => known.has(one)))].join();
  if (!first) wrong.push(`${what} in another order: ${actual.join(', ')}`);
}

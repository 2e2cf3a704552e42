/** Scenes for tests of receipts: connected pairs and groups, and what each of them gets to see. */
import { expect } from 'vitest';
import type { GroupMessage, PairMessage, Receipt } from '../../shared/contract/documents.ts';
import { type Account, connect, type Device, http, registerMany } from '../support/client.ts';

export interface Group {
  group_id: string;
}

export const to = (account: Account) => ({ recipient_id: account.id });

/** Two users, each with a connected device. */
export async function connectPair(url: string): Promise<{ a: Device; b: Device }> {
  const [a, b] = await Promise.all((await registerMany(url, 2)).map((account) => connect(url, account)));
  return { a: a!, b: b! };
}

/** A group of users with a connected device each; the first one created it. */
export async function connectGroup(url: string, size: number): Promise<{ devices: Device[]; group: Group }> {
  const accounts = await registerMany(url, size);
  const devices = await Promise.all(accounts.map((account) => connect(url, account)));
  const member_ids = accounts.slice(1).map((account) => account.id);
  const { group } = await devices[0]!.ok('group:create', { name: 'Crew', member_ids });
  return { devices, group: { group_id: group._id } };
}

export async function send(from: Device, account: Account, ...texts: string[]): Promise<void> {
  for (const content of texts) await from.ok('message:send', { ...to(account), content });
}

export async function setReadReceipts(url: string, account: Account, read_receipts_enabled: boolean): Promise<void> {
  const answer = await http(url, 'PATCH', '/users/me', {
    token: account.access_token,
    body: { settings: { read_receipts_enabled } },
  });
  expect(answer.status).toBe(200);
}

/** A user's marks as a viewer sees them in the viewer's newest conversation. */
export async function marksSeenBy(viewer: Device, userId: string): Promise<Receipt | undefined> {
  const { conversations } = await viewer.ok('conversation:list');
  return conversations[0]?.receipts.find((receipt) => receipt.user_id === userId);
}

/** The status of each message of a pair, ascending by `seq`. */
export async function statusesSeenBy(viewer: Device, other: Account): Promise<string[]> {
  const { messages } = await viewer.ok('message:history', to(other));
  return (messages as PairMessage[]).map((message) => message.status);
}

/** The readers of each message of a group, ascending by `seq`. */
export async function readersSeenBy(viewer: Device, group: Group): Promise<string[][]> {
  const { messages } = await viewer.ok('message:history', group);
  return (messages as GroupMessage[]).map((message) => message.read_by);
}

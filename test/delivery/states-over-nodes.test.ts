/** Two devices on different nodes change the same thing at once: what everybody is told last is what is stored. */
import { afterAll, beforeAll, describe, type ExpectStatic, it } from 'vitest';
import { connect, type Device, http, register, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const ROUNDS = 20;

let cluster: Cluster;
let one: string;
let two: string;

beforeAll(async () => {
  cluster = await startCluster(2);
  [one, two] = cluster.urls as [string, string];
});

afterAll(() => cluster.stop());

/** A user who has, on each node, one device that acts and one that watches. */
async function onBoth() {
  const account = await register(one);
  const [first, second, ...watchers] = await Promise.all([one, two, one, two].map((url) => connect(url, account)));
  return { account, first: first!, second: second!, watchers };
}

/**
 * Makes two changes at once, many times, and compares.
 * @param told what a watcher was told last
 * @param truth what is stored
 */
async function race<T>(
  expect: ExpectStatic,
  change: (round: number) => Promise<unknown>[],
  watchers: Device[],
  told: (watcher: Device) => T | undefined,
  truth: () => Promise<T>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(change(round));
    await settle(...watchers);
    const stored = await truth();
    await eventually(() => expect(watchers.map(told)).toEqual(watchers.map(() => stored)));
  }
}

describe.concurrent('what is told last of', () => {
  it('a profile, to the own devices and to contacts, is what is stored', async ({ expect }) => {
    const { account, first, watchers } = await onBoth();
    const contact = await onBoth();
    await first.ok('contact:request', { user_id: contact.account.id });
    await contact.first.ok('contact:accept', { user_id: account.id });
    const rename = (url: string, full_name: string) =>
      http(url, 'PATCH', '/users/me', { token: account.access_token, body: { full_name } });
    await race(
      expect,
      (round) => [rename(one, `one ${round}`), rename(two, `two ${round}`)],
      [...watchers, ...contact.watchers],
      (watcher) => watcher.seen('user:updated').at(-1)?.user.full_name,
      async () => (await http(one, 'GET', '/users/me', { token: account.access_token })).json.user.full_name,
    );
  });

  it('a group is what is stored', async ({ expect }) => {
    const [a, b, member] = [await onBoth(), await onBoth(), await onBoth()];
    const member_ids = [b.account.id, member.account.id];
    const { group } = await a.first.ok('group:create', { name: 'group', member_ids });
    await a.first.ok('group:set_admin', { group_id: group._id, user_id: b.account.id, is_admin: true });
    await race(
      expect,
      (round) => [
        a.first.ok('group:update', { group_id: group._id, name: `one ${round}` }),
        b.second.ok('group:update', { group_id: group._id, name: `two ${round}` }),
      ],
      member.watchers,
      (watcher) => watcher.seen('group:updated').at(-1)?.group.name,
      async () => (await a.first.ok('group:get', { group_id: group._id })).group.name,
    );
  });

  it('a contact is what is stored', async ({ expect }) => {
    const { account, first, second, watchers } = await onBoth();
    const other = await onBoth();
    await first.ok('contact:request', { user_id: other.account.id });
    await other.first.ok('contact:accept', { user_id: account.id });
    const note = (device: Device, notes: string) => device.ok('contact:update', { user_id: other.account.id, notes });
    await race(
      expect,
      (round) => [note(first, `one ${round}`), note(second, `two ${round}`)],
      watchers,
      (watcher) => watcher.seen('contact:updated').at(-1)?.contact.notes,
      async () => (await first.ok('contact:list', {})).contacts[0]?.notes,
    );
  });

  it('the settings of a conversation is what is stored', async ({ expect }) => {
    const { first, second, watchers, account } = await onBoth();
    const other = await onBoth();
    await other.first.ok('message:send', { recipient_id: account.id, content: 'hello' });
    const of = { recipient_id: other.account.id };
    const settings = (conversation?: { pinned?: boolean; archived?: boolean }) =>
      conversation && [conversation.pinned, conversation.archived];
    await race(
      expect,
      (round) => [
        first.ok('conversation:update', { ...of, pinned: round % 2 === 0 }),
        second.ok('conversation:update', { ...of, archived: round % 2 === 0 }),
      ],
      watchers,
      (watcher) => settings(watcher.seen('conversation:updated').at(-1)?.conversation),
      async () => settings((await first.ok('conversation:list', {})).conversations[0]),
    );
  });
});

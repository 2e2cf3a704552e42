/** Slow mode (PROTOCOL section 16) over two nodes: who waits, for how long, and what of two sent at once is stored. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WireError } from '../../shared/contract/errors.ts';
import type { CommandData } from '../../shared/contract/index.ts';
import { type Account, CLOCKS_MS, connect, type Device, http, registerMany } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startCountedServer } from '../support/counted-server.ts';
import { eventually } from '../support/eventually.ts';

const DAY_S = 86_400;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(2);
});
afterAll(() => cluster.stop());

const onNode = (node: number, account: Account) => connect(cluster.urls[node]!, account);

/** A group of an admin and members, each of whom has a device on both nodes. */
async function makeGroup(slow_mode_s: number, members = 1) {
  const accounts = await registerMany(cluster.urls[0]!, members + 1);
  const devices = await Promise.all(
    accounts.map(async (account) => [await onNode(0, account), await onNode(1, account)] as [Device, Device]),
  );
  const [[admin], ...others] = devices as [[Device, Device], ...[Device, Device][]];
  const member_ids = others.map(([one]) => one.id);
  const { group } = await admin.ok('group:create', { name: 'Slow', member_ids, slow_mode_s });
  return { id: group._id, admin, others, member: others[0]! };
}

type Answer = Awaited<ReturnType<Device['raw']>>;
const send = (device: Device, group_id: string, over: object = {}): Promise<Answer> =>
  device.raw('message:send', { group_id, content: 'x', ...over });
const messageOf = ({ data }: Answer) => (data as CommandData<'message:send'>).message;
const waitOf = ({ error }: Answer) => ((error as WireError).details as { retry_after_ms: number }).retry_after_ms;

describe('a member in slow mode', () => {
  it('waits after a stored message, whatever RATE_LIMITS says, replies, forwards and sends over HTTP alike', async () => {
    const { id, member } = await makeGroup(DAY_S);
    const first = await send(member[0], id);
    expect(first.ok).toBe(true);
    for (const device of member) {
      const refused = await send(device, id, { reply_to: messageOf(first)._id });
      expect(refused.error?.code).toBe('rate_limited');
      expect(waitOf(refused)).toBeGreaterThan(DAY_S * 1000 - 60_000);
      expect(waitOf(refused)).toBeLessThanOrEqual(DAY_S * 1000);
    }
    const { access_token: token } = member[0].account;
    const body = { group_id: id, content: 'x' };
    const answer = await http(cluster.urls[1]!, 'POST', '/api/message/send', { token, body });
    expect([answer.status, answer.json.error.code]).toEqual([429, 'rate_limited']);
    const forwarding = { group_id: id, forward_of: messageOf(first)._id };
    expect((await member[0].refused('message:send', forwarding)).code).toBe('rate_limited');
    // One may type, edit and react meanwhile.
    await member[0].ok('typing:start', { group_id: id });
    await member[0].ok('message:edit', { message_id: messageOf(first)._id, content: 'y' });
    await member[0].ok('message:react', { message_id: messageOf(first)._id, emoji: '👍' });
    // A deleted message was stored all the same.
    await member[0].ok('message:delete', { message_id: messageOf(first)._id });
    expect((await send(member[0], id)).error?.code).toBe('rate_limited');
  });

  it('may write again when the time is over, and what was refused prolongs nothing', async () => {
    const { id, member } = await makeGroup(1);
    const times: number[] = [];
    await eventually(async () => {
      const answers = await Promise.all(member.map((device) => send(device, id)));
      for (const answer of answers) {
        if (answer.ok) times.push(Date.parse(messageOf(answer).created_at));
        else expect(answer.error?.code).toBe('rate_limited');
      }
      expect(times.length).toBeGreaterThanOrEqual(4);
    });
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(1000);
  });

  it('is told how long to wait, and then may', async () => {
    const { id, member } = await makeGroup(2);
    await send(member[0], id);
    const wait = waitOf(await send(member[1], id));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(2000);
    await new Promise((resolve) => setTimeout(resolve, wait));
    expect((await send(member[1], id)).ok).toBe(true);
  });

  it('is neither an admin nor anyone elsewhere', async () => {
    const { id, admin, member } = await makeGroup(DAY_S);
    for (let i = 0; i < 3; i++) expect((await send(admin, id)).ok).toBe(true);
    await send(member[0], id);
    await member[0].ok('message:send', { recipient_id: admin.id, content: 'x' });
    const { group } = await member[0].ok('group:create', { name: 'Quick', member_ids: [] });
    for (let i = 0; i < 2; i++) expect((await send(member[0], group._id)).ok).toBe(true);
    await admin.ok('group:set_admin', { group_id: id, user_id: member[0].id, is_admin: true });
    expect((await send(member[0], id)).ok).toBe(true);
    // What one wrote as an admin counts as well.
    await admin.ok('group:set_admin', { group_id: id, user_id: member[0].id, is_admin: false });
    expect((await send(member[0], id)).error?.code).toBe('rate_limited');
  });
});

describe('slow mode', () => {
  it('counts from messages of before it was switched on, and ends when it is switched off', async () => {
    const { id, admin, member } = await makeGroup(0);
    const { created_at } = messageOf(await send(member[0], id));
    expect((await send(member[0], id)).ok).toBe(true);
    await admin.ok('group:update', { group_id: id, slow_mode_s: DAY_S });
    const refused = await send(member[0], id);
    expect(refused.error?.code).toBe('rate_limited');
    expect(waitOf(refused)).toBeGreaterThan(Date.parse(created_at) + DAY_S * 1000 - Date.now() - CLOCKS_MS);
    await eventually(async () => expect((await send(member[1], id)).error?.code).toBe('rate_limited'));
    await admin.ok('group:update', { group_id: id, slow_mode_s: 0 });
    expect((await send(member[0], id)).ok).toBe(true);
    await eventually(async () => expect((await send(member[1], id)).ok).toBe(true));
  });

  it('stores one of two messages that a member sends through two nodes, or one connection, at once', async () => {
    const { id, others } = await makeGroup(DAY_S, 8);
    for (const [i, [one, other]] of others.entries()) {
      const answers = await Promise.all([one, i % 2 ? one : other].map((device) => send(device, id)));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      const refused = answers.find(({ ok }) => !ok)!;
      expect(refused.error?.code).toBe('rate_limited');
      expect(waitOf(refused)).toBeGreaterThan(DAY_S * 1000 - 60_000);
    }
  });

  it('stores one message of each member, however many write at once', async () => {
    const { id, admin, others } = await makeGroup(DAY_S, 6);
    const answers = await Promise.all(
      others.flatMap((devices) => [...devices, ...devices].map((one) => send(one, id))),
    );
    expect(answers.flatMap(({ error }) => error?.code ?? [])).toEqual(Array(18).fill('rate_limited'));
    const { messages } = await admin.ok('message:history', { group_id: id });
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(messages.map(({ sender_id }) => sender_id)).size).toBe(6);
  });

  it('answers a repeat of a stored message with that message, also one that comes at the same time', async () => {
    const { id, others } = await makeGroup(DAY_S, 4);
    for (const devices of others) {
      const answers = await Promise.all(devices.map((one) => send(one, id, { client_message_id: 'once' })));
      const later = await send(devices[1], id, { client_message_id: 'once' });
      expect(answers.map(({ ok }) => ok)).toEqual([true, true]);
      expect(new Set([...answers, later].map((answer) => messageOf(answer)._id)).size).toBe(1);
      expect((later.data as CommandData<'message:send'>).duplicate).toBe(true);
      expect((await send(devices[0], id, { client_message_id: 'another' })).error?.code).toBe('rate_limited');
    }
  });
});

it('costs one look-up of a member’s send, and nothing where there is none', async () => {
  const { proxy, server, stop } = await startCountedServer();
  try {
    const [admin, member] = await Promise.all(
      (await registerMany(server.url, 2)).map((account) => connect(server.url, account)),
    );
    const { group } = await admin!.ok('group:create', { name: 'G', member_ids: [member!.id] });
    const cost = async () => {
      proxy.reset();
      await send(member!, group._id);
      return proxy.commands().filter(({ collection }) => collection === 'group_messages').length;
    };
    await eventually(async () => expect(await cost()).toBe(1));
    await admin!.ok('group:update', { group_id: group._id, slow_mode_s: 1 });
    await eventually(async () => expect(await cost()).toBe(2));
  } finally {
    await stop();
  }
});

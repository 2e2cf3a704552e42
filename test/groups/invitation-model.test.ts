/** Any sequence of invitations, joins at once, requests, decisions and removals on two nodes ends as a model says. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type Device, registerMany } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';

const STRANGERS = 4;
/** Of whom two are the admins, one on each node. */
const MAX = 4;

const stranger = fc.nat({ max: STRANGERS - 1 });
const admin = fc.nat({ max: 1 });
const pick = fc.nat({ max: 1000 });
const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('invite' as const),
      admin,
      uses: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      approval: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), admin, pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      strangers: fc.uniqueArray(stranger, { minLength: 1, maxLength: 3 }),
      pick,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('decide' as const), admin, stranger, accept: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('both accept' as const), stranger }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take out' as const), stranger, isOwnWill: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('add' as const), admin, stranger }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface ModelInvite {
  id: string;
  code: string;
  /** The number of the operation that made it. */
  at: number;
  max: number;
  approval: boolean;
  uses: number;
  isRevoked: boolean;
}

let cluster: Cluster;
let admins: Device[];
let strangers: Device[];

beforeAll(async () => {
  cluster = await startCluster(2, { GROUP_MAX_MEMBERS: `${MAX}` });
  const accounts = await registerMany(cluster.urls[0]!, 2 + STRANGERS);
  const devices = await Promise.all(accounts.map((account, i) => connect(cluster.urls[i % 2]!, account)));
  admins = devices.slice(0, 2);
  strangers = devices.slice(2);
});
afterAll(async () => {
  await cluster.stop();
});

/** What was answered: `ok`, or the code of the refusal. */
async function outcome(device: Device, name: string, payload: object): Promise<string> {
  const { ok, error } = await device.raw(name, payload);
  return ok ? 'ok' : error!.code;
}

/** Plays on a new group, and checks each answer. @returns the group as it must be */
async function play(operations: readonly Operation[]) {
  const { group } = await admins[0]!.ok('group:create', { name: 'Choir', member_ids: [admins[1]!.id] });
  const group_id = group._id;
  await admins[0]!.ok('group:set_admin', { group_id, user_id: admins[1]!.id, is_admin: true });
  const invites: ModelInvite[] = [];
  const members = new Set<number>();
  /** Those who ask, in their order, each by an invitation. */
  const requests = new Map<number, ModelInvite>();
  const removedAt = new Map<number, number>();

  const isOpen = ({ isRevoked, uses, max }: ModelInvite) => !isRevoked && uses < max;
  const isFull = () => members.size + 2 === MAX;
  const letsIn = (invite: ModelInvite, who: number) => isOpen(invite) && invite.at > (removedAt.get(who) ?? -1);
  const enter = (who: number) => {
    members.add(who);
    requests.delete(who);
  };

  async function joinAtOnce(some: number[], invite: ModelInvite): Promise<void> {
    const answers = await Promise.all(some.map((who) => outcome(strangers[who]!, 'group:join', { code: invite.code })));
    const inside = new Set(members);
    const wasLetIn = new Map(some.map((who) => [who, letsIn(invite, who)]));
    for (const [i, who] of some.entries()) {
      if (answers[i] === 'ok' && wasLetIn.get(who) && !inside.has(who) && !invite.approval) {
        expect(invite.uses < invite.max && !isFull(), 'a use and room were left').toBe(true);
        invite.uses++;
        enter(who);
      }
    }
    for (const [i, who] of some.entries()) {
      if (inside.has(who)) expect(answers[i]).toBe(invite.isRevoked ? 'not_found' : 'ok');
      else if (!wasLetIn.get(who)) expect(answers[i]).toBe('not_found');
      else if (invite.approval) {
        expect(answers[i]).toBe(isFull() ? 'conflict' : 'ok');
        if (!isFull() && !requests.has(who)) requests.set(who, invite);
      } else if (!members.has(who)) expect(answers[i]).toBe(isOpen(invite) ? 'conflict' : 'not_found');
    }
  }

  /** @returns what an acceptance is answered */
  function accept(who: number): string {
    const invite = requests.get(who);
    if (!invite) return 'not_found';
    if (isFull()) return 'conflict';
    if (isOpen(invite)) invite.uses++;
    enter(who);
    return 'ok';
  }

  async function act(one: Operation, at: number): Promise<void> {
    switch (one.do) {
      case 'invite': {
        // What was removed in the same millisecond counts as removed after it.
        await sleep(2);
        const { uses: max_uses, approval } = one;
        const asked = { group_id, ...(max_uses ? { max_uses } : {}), ...(approval ? { approval: true as const } : {}) };
        const { invite } = await admins[one.admin]!.ok('group:invite', asked);
        const max = max_uses ?? Number.POSITIVE_INFINITY;
        invites.push({ id: invite.invite_id, code: invite.code, at, max, approval, uses: 0, isRevoked: false });
        return;
      }
      case 'revoke': {
        const invite = invites[one.pick % Math.max(invites.length, 1)];
        if (!invite || !isOpen(invite)) return;
        await admins[one.admin]!.ok('group:revoke_invite', { invite_id: invite.id });
        invite.isRevoked = true;
        return;
      }
      case 'join': {
        const invite = invites[one.pick % Math.max(invites.length, 1)];
        if (!invite) return;
        // Several who ask are asked for one by one, so that their order is known.
        if (!invite.approval) return joinAtOnce(one.strangers, invite);
        for (const who of one.strangers) {
          await sleep(2);
          await joinAtOnce([who], invite);
        }
        return;
      }
      case 'decide': {
        const user_id = strangers[one.stranger]!.id;
        const payload = { group_id, user_id, accept: one.accept };
        const answer = await outcome(admins[one.admin]!, 'group:decide', payload);
        if (one.accept) expect(answer).toBe(accept(one.stranger));
        else expect(answer).toBe(requests.delete(one.stranger) ? 'ok' : 'not_found');
        return;
      }
      case 'both accept': {
        const payload = { group_id, user_id: strangers[one.stranger]!.id, accept: true };
        const answers = await Promise.all(admins.map((device) => outcome(device, 'group:decide', payload)));
        const expected = [accept(one.stranger), accept(one.stranger)];
        expect(answers.toSorted()).toEqual(expected.toSorted());
        return;
      }
      case 'take out': {
        if (!members.delete(one.stranger)) return;
        if (one.isOwnWill) return void (await strangers[one.stranger]!.ok('group:leave', { group_id }));
        await admins[0]!.ok('group:remove_member', { group_id, user_id: strangers[one.stranger]!.id });
        removedAt.set(one.stranger, at);
        return;
      }
      case 'add': {
        if (members.has(one.stranger)) return;
        const payload = { group_id, user_ids: [strangers[one.stranger]!.id] };
        const expected = isFull() ? 'validation_failed' : 'ok';
        expect(await outcome(admins[one.admin]!, 'group:add_members', payload)).toBe(expected);
        if (!isFull()) enter(one.stranger);
      }
    }
  }
  for (const [at, one] of operations.entries()) await act(one, at);
  return { group_id, invites, members, requests, isOpen, letsIn };
}

async function check({ group_id, invites, members, requests, isOpen, letsIn }: Awaited<ReturnType<typeof play>>) {
  for (const device of admins) {
    const { group } = await device.ok('group:get', { group_id });
    const inside = [...admins, ...[...members].map((who) => strangers[who]!)].map(({ id }) => id);
    expect(group.members.toSorted()).toEqual(inside.toSorted());
    const shown = (await device.ok('group:invites', { group_id })).invites;
    const open = invites.filter(isOpen).map(({ id, uses }) => ({ id, uses }));
    expect(shown.map(({ invite_id: id, uses }) => ({ id, uses }))).toEqual(open);
    const asking = (await device.ok('group:requests', { group_id })).requests.map(({ user }) => user._id);
    expect(asking).toEqual([...requests.keys()].map((who) => strangers[who]!.id));
  }
  for (const [who, device] of strangers.entries()) {
    for (const invite of invites) {
      const isShown = members.has(who) ? !invite.isRevoked : letsIn(invite, who);
      expect(await outcome(device, 'group:preview', { code: invite.code })).toBe(isShown ? 'ok' : 'not_found');
    }
  }
}

it('who is in, who asks and how many uses are taken are as a model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 30 }), async (operations) => {
      await check(await play(operations));
    }),
    { numRuns: 5, endOnFailure: true },
  );
}, 240_000);

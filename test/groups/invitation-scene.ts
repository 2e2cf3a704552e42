/** A cluster whose groups hold few, with people and groups on it, for tests of invitations. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { Invite } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import { connect, type Device, registerMany } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';

/** How many members a group has at the most. */
export const MAX = 6;

/** Starts the cluster before the tests of a file, and stops it after them. */
export function invitationScene() {
  let cluster: Cluster;
  let client: MongoClient;
  let stored: Collections;
  beforeAll(async () => {
    const env = { GROUP_MAX_MEMBERS: `${MAX}`, GROUP_ADD: 'contacts', PUBLIC_URL: 'https://chat.example.test' };
    cluster = await startCluster(2, env);
    client = await MongoClient.connect(cluster.database.url);
    stored = collections(client.db());
  });
  afterAll(async () => {
    await client.close();
    await cluster.stop();
  });

  /** Devices of so many people, on the two nodes by turns. */
  async function people(count: number): Promise<Device[]> {
    const accounts = await registerMany(cluster.urls[0]!, count);
    return Promise.all(accounts.map((account, i) => connect(cluster.urls[i % 2]!, account)));
  }

  /** A group of an admin, and people who are not in it. */
  async function makeGroup(strangers: number) {
    const [admin, ...others] = (await people(strangers + 1)) as [Device, ...Device[]];
    const { group } = await admin.ok('group:create', { name: 'Choir', member_ids: [] });
    const invite = async (over: Partial<CommandPayload<'group:invite'>> = {}): Promise<Invite> =>
      (await admin.ok('group:invite', { group_id: group._id, ...over })).invite;
    const members = async () => (await admin.ok('group:get', { group_id: group._id })).group.members;
    return { id: group._id, admin, others, invite, members };
  }

  return {
    get cluster() {
      return cluster;
    },
    get stored() {
      return stored;
    },
    makeGroup,
  };
}

export const join = (device: Device, { code }: { code: string }) => device.raw('group:join', { code });
export const codes = (answers: Awaited<ReturnType<Device['raw']>>[]) =>
  answers.flatMap(({ error }) => error?.code ?? []);

/** Tokens of another issuer on two nodes. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { http, uniqueName } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { ended, issuerScene } from './issuer-scene.ts';

const scene = issuerScene();
const { me, sessionsOf, join, issuedBefore, issuedAfter } = scene;

describe('two nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(2, scene.issuer.env);
  });
  afterAll(() => cluster?.stop());
  const nodeOf = (i: number) => cluster.urls[i % 2]!;

  it('make one user and one session of fifty devices that come at the same moment', async () => {
    const name = uniqueName('crowd');
    const own = { sub: uniqueName(), preferred_username: name, email: `${name}@example.test` };
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => scene.issuer.token({ ...own, jti: `${i}` })));
    const devices = await Promise.all(tokens.map((token, i) => join(token, nodeOf(i))));
    expect(new Set(devices.map(({ id }) => id)).size).toBe(1);
    expect(new Set(devices.map(({ sessionId }) => sessionId)).size).toBe(1);
    const { user } = await devices[0]!.next('session:ready');
    expect(user).toMatchObject({ username: name, email: own.email });
    expect(await sessionsOf(tokens[0]!, nodeOf(1))).toHaveLength(1);
    for (const device of devices) device.close();
  });

  it('end a session for both, and begin it anew for both', async () => {
    const sub = uniqueName();
    const token = await issuedBefore({ sub });
    const devices = await Promise.all([0, 1].map((i) => join(token, nodeOf(i))));
    expect((await http(nodeOf(0), 'POST', '/auth/logout', { token })).status).toBe(204);
    expect((await me(token, nodeOf(1))).status).toBe(401);
    await Promise.all(devices.map(ended));
    const later = await issuedAfter({ sub });
    const [one, two] = await Promise.all([0, 1].map((i) => join(later, nodeOf(i))));
    expect(one!.sessionId).toBe(two!.sessionId);
    expect(one!.sessionId).not.toBe(devices[0]!.sessionId);
    // What is still told of the earlier session does not concern the new one.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect([one!.socket.connected, two!.socket.connected]).toEqual([true, true]);
  });

  it('tell of an ending by the database while Redis is away, though the session has begun anew meanwhile', async () => {
    const sub = uniqueName();
    const token = await issuedBefore({ sub });
    const device = await join(token, nodeOf(1));
    for (const way of cluster.toRedis) way.cut();
    onTestFinished(() => {
      for (const way of cluster.toRedis) way.pass();
    });
    expect((await http(nodeOf(0), 'POST', '/auth/logout', { token })).status).toBe(204);
    const later = await issuedAfter({ sub });
    expect((await me(later, nodeOf(0))).status).toBe(200);
    await device.next('session:revoked');
    expect((await me(later, nodeOf(1))).status).toBe(200);
  });
});

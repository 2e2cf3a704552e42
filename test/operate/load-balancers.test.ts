import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { read, uploaded } from '../media/client.ts';
import { connect, http, register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { LOAD_BALANCERS, type LoadBalancer, type LoadBalancerName, startLoadBalancer } from './load-balancers.ts';

let cluster: Cluster;
let balancers: Record<LoadBalancerName, LoadBalancer>;

beforeAll(async () => {
  cluster = await startCluster(2, { TRUST_PROXY: 'on' });
  const nodes = cluster.urls.map((node) => new URL(node).host);
  const started = await Promise.all(
    LOAD_BALANCERS.map(async (name) => [name, await startLoadBalancer(name, nodes)] as const),
  );
  balancers = Object.fromEntries(started) as typeof balancers;
});
afterAll(async () => {
  await Promise.all(Object.values(balancers).map((balancer) => balancer.stop()));
  await cluster.stop();
});

describe.each(LOAD_BALANCERS)('%s', (name) => {
  it('passes WebSockets, long polling and large uploads on', async () => {
    const { url } = balancers[name];
    const account = await register(url);
    const device = await connect(url, account);
    expect(device.socket.io.engine.transport.name).toBe('websocket');
    device.close();
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(200);
    // More than nginx takes by default.
    const bytes = Buffer.alloc(3 * 1024 * 1024, 'x');
    const { _id } = await uploaded(url, account, '/files', bytes, 'large.txt');
    const got = await read(url, `/files/${_id}`, account, { headers: { range: 'bytes=0-9' } });
    expect([got.status, got.bytes.toString()]).toEqual([206, 'xxxxxxxxxx']);
  });

  it.each(['/metrics', '/METRICS', '/%6detrics', '//metrics'])('keeps %s to itself', async (route) => {
    const hidden = await http(balancers[name].url, 'GET', route);
    expect([hidden.status, hidden.json.error.code]).toEqual([404, 'not_found']);
  });

  it('passes no claim of a client on about the name that it asked for', async () => {
    const page = { origin: 'https://other.example', 'x-forwarded-host': 'other.example' };
    const answer = await http(balancers[name].url, 'GET', '/openapi.json', { headers: page });
    expect([answer.status, answer.json.error.code]).toEqual([403, 'forbidden']);
  });
});

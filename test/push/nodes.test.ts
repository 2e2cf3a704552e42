/** Push over two nodes: who is connected, and what a session acknowledged, is known to both. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type HttpStandIn, startHttpStandIn } from './support/http-stand-in.ts';
import { vapidKeys } from './support/keys.ts';
import { command, signIn, someoneAway, subscribeAway } from './support/pushed.ts';

let service: HttpStandIn;
let cluster: Cluster;
beforeAll(async () => {
  const { publicKey, privateKey } = vapidKeys();
  service = await startHttpStandIn();
  cluster = await startCluster(2, {
    PUSH_ALLOW_PRIVATE: 'on',
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
  });
});
afterAll(async () => {
  await cluster?.stop();
  await service?.close();
});

it('a session on another node that acknowledges is not pushed to, one that does not is, and so is one without a connection', async () => {
  const [one, two] = cluster.urls as [string, string];
  const ann = await connect(one, await register(one));
  const away = await someoneAway(two, service);
  const attentive = await subscribeAway(one, service, await signIn(one, away.account));
  const silent = await subscribeAway(one, service, await signIn(one, away.account));
  const device = await connect(two, attentive.account);
  const silentDevice = await connect(two, silent.account);
  const { message } = await ann.ok('message:send', { recipient_id: away.account.id, content: 'hello' });
  await device.next('message:new', undefined, 20_000);
  await device.ok('message:delivered', { recipient_id: ann.id, up_to_seq: message.seq });
  await expect.poll(away.pushed, { timeout: 30_000 }).toHaveLength(1);
  expect(silent.pushed()).toEqual([]);
  await expect.poll(silent.pushed, { timeout: 40_000 }).toMatchObject([{ seq: message.seq }]);
  expect(attentive.pushed()).toEqual([]);
  expect(away.pushed()).toHaveLength(1);
  silentDevice.close();
}, 120_000);

it('what was pushed of a thread is taken away when another node is told that it was read', async () => {
  const [one, two] = cluster.urls as [string, string];
  const ann = await connect(one, await register(one));
  const bob = await someoneAway(one, service);
  const { message: root } = await command(one, bob.account, 'message:send', { recipient_id: ann.id, content: 'root' });
  const { message } = await ann.ok('message:send', {
    recipient_id: bob.account.id,
    content: 'reply',
    thread_id: root._id,
  });
  await expect.poll(bob.pushed, { timeout: 45_000 }).toMatchObject([{ seq: message.seq, thread_id: root._id }]);
  const reader = await signIn(two, bob.account);
  await command(two, reader, 'thread:read', { message_id: root._id, up_to_seq: message.seq });
  await expect.poll(bob.pushed, { timeout: 45_000 }).toMatchObject([{}, { type: 'read', badge: 0 }]);
});

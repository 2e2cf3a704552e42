/** Only the device in a call leaves it: what a user's other devices and HTTP do to the call (protocol, section 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, http, settle } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { act, addUser, type CallNodes, initiate, startCallNodes } from './in-process.ts';
import { another, groupOf, incoming, PATIENT, people, reasons, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: PATIENT });
});
afterAll(() => server?.stop());

const LEAVING = ['call:end', 'call:leave'] as const;
const overHttp = (device: Device, action: 'end' | 'leave', call_id: string) =>
  http(server.url, 'POST', `/api/call/${action}`, { token: device.account.access_token, body: { call_id } });

describe.concurrent('a call goes on', () => {
  it.each(LEAVING)('after it was answered elsewhere and another device sends %s', async (command) => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const { _id } = await talking(a!, b!);
    await updated(b2, 'answered_elsewhere');
    expect((await b2.ok(command, { call_id: _id })).call.status).toBe('ongoing');
    expect((await b2.refused('call:reject', { call_id: _id })).code).toBe('conflict');
    await settle(a!, b!);
    expect(reasons(a!)).toEqual(['accepted']);
    expect(reasons(b!)).toEqual([]);
    expect((await b!.ok(command, { call_id: _id })).call.status).toBe('ended');
  });

  it.each(LEAVING)('after it moved and the old device sends %s', async (command) => {
    const [a, b] = await people(server.url, 2);
    const b2 = await another(server.url, b!);
    const { _id } = await talking(a!, b!);
    await b2.ok('call:join', { call_id: _id });
    await updated(b!, 'moved');
    expect((await b!.ok(command, { call_id: _id })).call.status).toBe('ongoing');
    await a!.ok('call:signal', { call_id: _id, to_user_id: b!.id, signal: {} });
    expect((await b2.ok(command, { call_id: _id })).call.status).toBe('ended');
  });

  it('in a group, when a device leaves that does not have it', async () => {
    const [a, b, c] = await people(server.url, 3);
    const b2 = await another(server.url, b!);
    const { call } = await a!.ok('call:initiate', { group_id: await groupOf([a!, b!, c!]), call_type: 'voice' });
    const of = { call_id: call._id };
    await b!.ok('call:accept', of);
    await b2.ok('call:end', of);
    await b2.ok('call:join', of);
    await b!.ok('call:leave', of);
    await settle(a!, c!);
    expect(reasons(a!)).toEqual(['accepted', 'moved']);
    await b2.ok('call:leave', of);
    await updated(a!, 'left', b!.id);
  });

  it('that still rings, when the caller’s other device hangs up', async () => {
    const [a, b] = await people(server.url, 2);
    const a2 = await another(server.url, a!);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    await incoming(b!);
    expect((await a2.ok('call:end', { call_id: call._id })).call.status).toBe('initiated');
    expect((await b!.ok('call:accept', { call_id: call._id })).call.status).toBe('ongoing');
  });
});

describe.concurrent('over HTTP', () => {
  it('a call is not left that a device has', async () => {
    const [a, b] = await people(server.url, 2);
    const { _id } = await talking(a!, b!);
    for (const action of ['end', 'leave'] as const) {
      const { status, json } = await overHttp(b!, action, _id);
      expect([status, json.data.call.status]).toEqual([200, 'ongoing']);
    }
    await settle(a!);
    expect(reasons(a!)).toEqual(['accepted']);
  });

  it('a call that rings is rejected', async () => {
    const [a, b] = await people(server.url, 2);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    expect((await overHttp(b!, 'end', call._id)).json.data.call.status).toBe('rejected');
    await updated(b!, 'rejected');
  });

  it('and by any connection, a call is left whose device is gone', async ({ expect }) => {
    const [a, b, c, d] = await people(server.url, 4);
    const [first, second] = [await talking(a!, b!), await talking(c!, d!)];
    for (const device of [b!, d!]) device.close();
    const back = await another(server.url, d!);
    // The server may hear of the closed connections after what comes by another one.
    await eventually(async () => expect((await overHttp(b!, 'leave', first._id)).json.data?.call.status).toBe('ended'));
    await eventually(async () =>
      expect((await back.ok('call:end', { call_id: second._id })).call.status).toBe('ended'),
    );
  });
});

describe('a user whose device vanished without a word leaves by another', () => {
  let nodes: CallNodes;
  beforeAll(async () => {
    nodes = await startCallNodes(2);
  });
  afterAll(() => nodes.stop());

  it.each<[string, (socketId: string) => void]>([
    ['when its disconnection was not recorded', (socketId) => nodes.gone.add(socketId)],
    ['when its node died', () => nodes.dead.add('node-1')],
  ])('%s', async (_name, vanish) => {
    const [[a], [b, b2]] = [await addUser(nodes), await addUser(nodes)];
    const { _id } = await initiate(a, { recipient_id: b.id });
    await act(b, 'accept', _id);
    expect((await act(b2!, 'leave', _id)).status).toBe('ongoing');
    vanish(b.socketId);
    // On the node that holds the connection or, when that is dead, on the other.
    const survivor = nodes.dead.has('node-1') ? b2! : { ...b, socketId: 'new' };
    expect((await act(survivor, 'leave', _id)).status).toBe('ended');
  });
});

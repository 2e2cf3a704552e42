/** Calls that are refused: busy users, glare, and what is not allowed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, register, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { PATIENT, people, talking, updated } from './scene.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: PATIENT });
});
afterAll(() => server?.stop());

const NOBODY = 'f'.repeat(24);

describe.concurrent('a user in a call', () => {
  it('cannot start a second one', async () => {
    const [a, b, c] = await people(server.url, 3);
    const { call } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    // The caller of an unanswered call is in it.
    expect((await a!.refused('call:initiate', { recipient_id: c!.id, call_type: 'voice' })).code).toBe('busy');
    await b!.ok('call:accept', { call_id: call._id });
    for (const device of [a!, b!]) {
      expect((await device.refused('call:initiate', { recipient_id: c!.id, call_type: 'voice' })).code).toBe('busy');
    }
    await settle(c!);
    expect(c!.events.map((event) => event.name)).toEqual(['session:ready']);
    await a!.ok('call:end', { call_id: call._id });
    const { call: next } = await a!.ok('call:initiate', { recipient_id: c!.id, call_type: 'voice' });
    await a!.ok('call:end', { call_id: next._id });
  });

  it('is not rung: the caller gets busy, the callee a missed call, and both histories list it', async () => {
    const [a, b, c] = await people(server.url, 3);
    const call = await talking(a!, b!);
    expect((await c!.refused('call:initiate', { recipient_id: b!.id, call_type: 'voice' })).code).toBe('busy');
    const event = await updated(b!, 'busy');
    expect(event.call).toMatchObject({ caller_id: c!.id, recipient_id: b!.id, status: 'missed', duration: 0 });
    expect(event.call.ended_at).toBeDefined();
    for (const device of [b!, c!]) {
      const { calls } = await device.ok('call:history', {});
      expect(calls[0]).toEqual(event.call);
    }
    await settle(b!);
    expect(b!.seen('call:incoming').map((incoming) => incoming.call._id)).toEqual([call._id]);
    // So is the caller of an unanswered call.
    await a!.ok('call:end', { call_id: call._id });
    const { call: waiting } = await b!.ok('call:initiate', { recipient_id: a!.id, call_type: 'voice' });
    expect((await c!.refused('call:initiate', { recipient_id: b!.id, call_type: 'voice' })).code).toBe('busy');
    await b!.ok('call:end', { call_id: waiting._id });
  });

  it('is not one who is only being rung; accepting while in another call is busy', async () => {
    const [a, b, c, d] = await people(server.url, 4);
    const { call: first } = await a!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const { call: second } = await c!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    await b!.ok('call:accept', { call_id: first._id });
    expect((await b!.refused('call:accept', { call_id: second._id })).code).toBe('busy');
    await a!.ok('call:end', { call_id: first._id });
    await c!.ok('call:end', { call_id: second._id });
    const { call: third } = await c!.ok('call:initiate', { recipient_id: b!.id, call_type: 'voice' });
    const { call: own } = await b!.ok('call:initiate', { recipient_id: d!.id, call_type: 'voice' });
    await c!.ok('call:end', { call_id: third._id });
    await b!.ok('call:end', { call_id: own._id });
  });

  it('is told of the other’s call when both call each other at once', async () => {
    const [a, b] = await people(server.url, 2);
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all([
        a!.raw('call:initiate', { recipient_id: b!.id, call_type: 'voice' }),
        b!.raw('call:initiate', { recipient_id: a!.id, call_type: 'voice' }),
      ]);
      const won = answers.find((answer) => answer.ok)!.data as { call: { _id: string; caller_id: string } };
      const lost = answers.find((answer) => !answer.ok)!.error!;
      expect(lost).toMatchObject({ code: 'conflict', details: { call_id: won.call._id } });
      const callee = won.call.caller_id === a!.id ? b! : a!;
      await callee.ok('call:accept', { call_id: won.call._id });
      await callee.ok('call:end', { call_id: won.call._id });
    }
  });
});

describe.concurrent('refused', () => {
  it('are calls to oneself, to unknown or deactivated users, and malformed ones', async () => {
    const [a, b] = await people(server.url, 2);
    const gone = await register(server.url);
    const initiate = async (payload: object) => (await a!.refused('call:initiate', payload)).code;
    expect(await initiate({ recipient_id: a!.id, call_type: 'voice' })).toBe('validation_failed');
    expect(await initiate({ recipient_id: NOBODY, call_type: 'voice' })).toBe('not_found');
    expect(await initiate({ group_id: NOBODY, call_type: 'voice' })).toBe('not_found');
    expect(await initiate({ recipient_id: b!.id })).toBe('validation_failed');
    expect(await initiate({ recipient_id: b!.id, group_id: NOBODY, call_type: 'voice' })).toBe('validation_failed');
    expect(await initiate({ recipient_id: b!.id, call_type: 'fax' })).toBe('validation_failed');
    const device = await connect(server.url, gone);
    await fetch(`${server.url}/users/me`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${gone.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ password: gone.password }),
    });
    device.close();
    expect(await initiate({ recipient_id: gone.id, call_type: 'voice' })).toBe('not_found');
  });

  it('is metadata above 4 KiB, or with property names that mean something to the database', async () => {
    const [a, b] = await people(server.url, 2);
    const initiate = (metadata: object) =>
      a!.raw('call:initiate', { recipient_id: b!.id, call_type: 'voice', metadata });
    const fits = { note: 'é'.repeat((4096 - '{"note":""}'.length - 1) / 2) };
    const { data } = (await initiate(fits)) as { data: { call: { _id: string; metadata: object } } };
    expect(data.call.metadata).toEqual(fits);
    await a!.ok('call:end', { call_id: data.call._id });
    for (const metadata of [
      { note: 'é'.repeat(2045) },
      { a: { $ref: 'users', $id: 'x' } },
      { _bsontype: 'ObjectId' },
    ]) {
      expect((await initiate(metadata)).error!.code).toBe('validation_failed');
    }
  });

  it('is every command of a stranger, as not_found', async () => {
    const [a, b, stranger] = await people(server.url, 3);
    const call = await talking(a!, b!);
    for (const name of ['ringing', 'accept', 'reject', 'join', 'leave', 'end']) {
      expect((await stranger!.refused(`call:${name}`, { call_id: call._id })).code).toBe('not_found');
      expect((await stranger!.refused(`call:${name}`, { call_id: NOBODY })).code).toBe('not_found');
      expect((await stranger!.refused(`call:${name}`, { call_id: 'x' })).code).toBe('validation_failed');
    }
    const signal = { call_id: call._id, to_user_id: a!.id, signal: {} };
    expect((await stranger!.refused('call:signal', signal)).code).toBe('not_found');
    expect((await stranger!.refused('call:history', { before_id: call._id })).code).toBe('not_found');
    await a!.ok('call:end', { call_id: call._id });
    expect((await stranger!.refused('call:leave', { call_id: call._id })).code).toBe('not_found');
  });
});

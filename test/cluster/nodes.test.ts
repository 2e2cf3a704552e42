import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Nodes, startNodes } from '../../server/cluster/nodes.ts';
import { connect, type Database } from '../../server/model/connect.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let connection: Database;
let own: Nodes;
beforeAll(async () => {
  database = await startDatabase();
  connection = await connect(database.url, log);
  own = await startNodes(connection.collections, connection.clock, log);
});
afterAll(async () => {
  await own.close();
  await connection.close();
  await database.stop();
});

/** A record like this process's own, but of another process. */
async function record(id: string, over: { machine?: string; pid?: number }): Promise<void> {
  const { _id, ...mine } = (await connection.collections.nodes.findOne({ _id: own.id }))!;
  await connection.collections.nodes.insertOne({ ...mine, ...over, _id: id });
}

describe('a node', () => {
  it('is new at each start, lives while it runs, and is dead once it has ended', async () => {
    const other = await startNodes(connection.collections, connection.clock, log);
    expect(other.id).not.toBe(own.id);
    expect(await own.deadAmong([other.id, own.id])).toEqual([]);
    await other.close();
    expect(await own.deadAmong([other.id, own.id])).toEqual([other.id]);
    expect(await own.deadAmong([])).toEqual([]);
  });

  it('of this machine is dead as soon as its process is gone', async () => {
    const child = spawn('sleep', ['60']);
    await record('killed', { pid: child.pid! });
    expect(await own.deadAmong(['killed'])).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await own.deadAmong(['killed'])).toEqual(['killed']);
    expect(await own.deadAmong(['killed'])).toEqual(['killed']);
  });

  it('of this machine is dead where another process has its number by now', async () => {
    await record('reused', { pid: process.pid });
    expect(await own.deadAmong(['reused'])).toEqual(['reused']);
  });

  it('lives for certain where its process runs here, or its number grows; else it may live', async () => {
    await connection.collections.nodes.deleteMany({ _id: { $ne: own.id } });
    expect(await own.others()).toEqual({ living: 0, possible: 0 });
    const child = spawn('sleep', ['60']);
    await record('here', { pid: child.pid! });
    await record('far', { machine: 'another machine' });
    expect(await own.others()).toEqual({ living: 1, possible: 1 });
    await connection.collections.nodes.updateOne({ _id: 'far' }, { $inc: { beat: 1 } });
    expect(await own.others()).toEqual({ living: 2, possible: 0 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await own.others()).toEqual({ living: 1, possible: 0 });
  });

  it('of another machine is not judged by its process number', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await record('elsewhere', { machine: 'another machine', pid: child.pid! });
    expect(await own.deadAmong(['elsewhere', 'unheard of'])).toEqual(['unheard of']);
  });
});

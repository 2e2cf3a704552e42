import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { reachEmbedded } from '../../server/embedded/reach.ts';
import { startEmbedded } from '../../server/embedded/start.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'letsapp-reach-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function namesIn(url: string): Promise<string[]> {
  const client = await new MongoClient(url).connect();
  try {
    return (await client.db().listCollections().toArray()).map(({ name }) => name);
  } finally {
    await client.close();
  }
}

describe('a tool reaches the embedded database of a folder', () => {
  it('by starting it where nobody has it, and stops it then', async () => {
    const dataDir = await folder();
    const tool = await reachEmbedded(dataDir);
    expect(await namesIn(tool.url)).toEqual([]);
    await tool.close();
    await (await startEmbedded({ dataDir })).close();
  });

  it('by the socket of the process that has it, and leaves that alone', async () => {
    const dataDir = await folder();
    const server = await startEmbedded({ dataDir });
    const client = await new MongoClient(server.url).connect();
    await client.db().collection('things').insertOne({});
    const tool = await reachEmbedded(dataDir);
    expect(await namesIn(tool.url)).toEqual(['things']);
    await tool.close();
    expect(await client.db().collection('things').countDocuments()).toBe(1);
    await client.close();
    await server.close();
  });

  it('by the port of the process that has it, with its password where it asks for one', async () => {
    for (const password of [undefined, 'a secret / of this test']) {
      const dataDir = await folder();
      const server = await startEmbedded({ dataDir, port: 0, password });
      const tool = await reachEmbedded(dataDir, password);
      expect(await namesIn(tool.url)).toEqual([]);
      await server.close();
    }
  });

  it('once the process that has it listens, or lets go of the folder', async () => {
    const dataDir = await folder();
    const starting = startEmbedded({ dataDir });
    // The holder is noted once the folder is taken; a moment earlier the tool would take it itself.
    await expect.poll(() => readFile(path.join(dataDir, 'database', 'lock'), 'utf8').catch(() => '')).not.toBe('');
    const tool = await reachEmbedded(dataDir);
    expect(await namesIn(tool.url)).toEqual([]);
    await tool.close();
    await (await starting).close();
  });
});

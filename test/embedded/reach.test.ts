import { mkdtemp, rm } from 'node:fs/promises';
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

  it('not where it is served on a port, and says what to do', async () => {
    const dataDir = await folder();
    const server = await startEmbedded({ dataDir, port: 0 });
    await expect(reachEmbedded(dataDir)).rejects.toThrow(
      /in use by process \d+, which serves it on a port: name that by MONGODB_URL/,
    );
    await server.close();
  });
});

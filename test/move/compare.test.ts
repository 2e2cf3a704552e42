import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../server/model/connect.ts';
import { startEmbeddedDatabase } from '../support/database.ts';
import { startProgram } from '../support/program.ts';
import { runTool } from '../support/tool.ts';

const PASSWORD = 'pa ss/wörd';

/** A database that asks for a password. */
async function startGuarded() {
  const folder = await mkdtemp(path.join(tmpdir(), 'letsapp-guarded-'));
  const env = { DATABASE_PORT: '0', DATA_DIR: folder, DATABASE_PASSWORD: PASSWORD };
  const program = await startProgram('server/embedded/main.ts', env);
  onTestFinished(async () => {
    program.child.kill('SIGKILL');
    await program.exited;
    await rm(folder, { recursive: true, force: true });
  });
  const urlWith = (password: string) =>
    program.url.replace('mongodb://', `mongodb://letsapp:${encodeURIComponent(password)}@`);
  return { folder, urlWith };
}

/** A job that no server runs. */
const job = (n: number, payload = 'first') => ({
  ...{ _id: `none:${n}`, kind: 'none', attempts: 0 },
  ...{ payload: { payload }, due_at: new Date(0) },
});

it('what changed without being noted, as over a restart, is found by comparing; no password is shown', async () => {
  const source = await startEmbeddedDatabase();
  onTestFinished(() => source.stop());
  const target = await startGuarded();
  const move = (...args: string[]) => runTool(['move', ...args], { MONGODB_URL: '', DATA_DIR: source.folder });

  let { collections, close } = await connect(source.url, pino({ level: 'silent' }));
  await collections.jobs.insertMany(Array.from({ length: 120 }, (_, n) => job(n)));
  await close();
  const refused = await move('--to', target.urlWith('wr/ong'));
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be used: .*[Aa]uthentication/) });
  expect(refused.stderr).not.toMatch(/wr\/ong|wr%2Fong/);

  const file = path.join(target.folder, 'url');
  await writeFile(file, `${target.urlWith(PASSWORD)}\n`);
  const copied = await move('--to-file', file, '--copy-only');
  expect(copied).toMatchObject({ code: 0, stderr: '' });
  expect(copied.stdout).not.toContain('compared');

  // Somebody else has written there: that is no copy to go on with, and the old one is not closed.
  const client = await MongoClient.connect(target.urlWith(PASSWORD));
  const db = client.db('letsapp');
  const theirs = db.collection<{ _id: string }>('jobs');
  await theirs.insertOne(job(900));
  const differing = await move('--to-file', file);
  expect(differing).toMatchObject({ code: 1, stderr: expect.stringMatching(/jobs has 120 .* and 121 in the target/) });

  await source.kill();
  await source.restart();
  ({ collections, close } = await connect(source.url, pino({ level: 'silent' })));
  await collections.jobs.deleteMany({ _id: { $in: ['none:3', 'none:119'] } });
  await collections.jobs.updateOne({ _id: 'none:7' }, { $set: { payload: { payload: 'second' } } });
  await collections.jobs.insertOne(job(500));
  const ours = await collections.jobs.find().sort({ _id: 1 }).toArray();
  await close();
  // Nothing runs on it now.
  await source.kill();

  const moved = await move('--to-file', file);
  expect(moved).toMatchObject({ code: 0, stderr: '' });
  expect(moved.stdout).toContain('everything is compared');
  expect(moved.stdout).toContain(`jobs: ${ours.length}`);
  expect(moved.stdout + copied.stdout).not.toMatch(/pa ss|pa%20ss/);
  expect(await theirs.find().sort({ _id: 1 }).toArray()).toEqual(ours);
  expect((await db.listCollections().toArray()).map(({ name }) => name)).not.toContain('letsapp_move');
  await client.close();
  // A second time, and to elsewhere.
  expect(await move('--to-file', file)).toMatchObject({ code: 0 });
  const elsewhere = await move('--to', source.url.replace(/letsapp$/, 'elsewhere'));
  expect(elsewhere).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('it was moved already, to mongodb://127'),
  });
}, 120_000);

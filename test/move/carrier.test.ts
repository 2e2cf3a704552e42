import { MongoClient } from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import { beginMove, movable } from '../../server/embedded/move.ts';
import { ignoring } from '../../server/model/failures.ts';
import { type MoveMark, moveMark } from '../../server/model/move-mark.ts';
import { createCarrier } from '../../server/move/carrier.ts';
import { startDatabase, startEmbeddedDatabase } from '../support/database.ts';

const DOCUMENTS = 1200;
const CHANGES = 400;
const DUPLICATE_KEY = 11_000;
/** So many at once. */
const CHANGERS = 8;

/** Two databases with a client each. */
async function sides() {
  const [from, to] = [await startEmbeddedDatabase(), await startDatabase()];
  const clients = [await MongoClient.connect(from.url), await MongoClient.connect(to.url)] as const;
  onTestFinished(async () => {
    for (const client of clients) await client.close();
    await from.stop();
    await to.stop();
  });
  const [source, target] = clients.map((client) => client.db());
  const steps = movable((command) => clients[0].db('admin').command(command, { promoteValues: false }));
  return { source: source!, target: target!, steps, folder: from.folder };
}

it('what is inserted, changed, exchanged and removed while it is copied is the same on both sides in the end', async () => {
  const { source, target, steps } = await sides();
  const items = source.collection<{ _id: number; name: string; parts?: object }>('items');
  await items.createIndex({ name: 1 }, { unique: true, name: 'name' });
  await items.insertMany(Array.from({ length: DOCUMENTS }, (_, _id) => ({ _id, name: `n${_id}` })));
  const mark: MoveMark = {
    ...{ _id: 'move', move: 'm', source: 's', begun_at: new Date(), at: null, copied: [], deferred: [] },
    tracker: await steps.track(),
  };
  await moveMark(target).insertOne({ ...mark });
  const carrier = createCarrier({ source, target, movable: steps, mark, say: () => {} });

  const random = (most: number) => Math.floor(Math.random() * most);
  async function change(n: number): Promise<void> {
    const [one, other] = [random(DOCUMENTS), random(DOCUMENTS)];
    if (n % 4 === 0) await items.deleteOne({ _id: one });
    else if (n % 4 === 1) await items.insertOne({ _id: DOCUMENTS + n, name: `n${DOCUMENTS + n}` });
    else if (n % 4 === 2) await items.updateOne({ _id: one }, { $set: { parts: { long: n, at: new Date() } } });
    else if (one !== other) {
      // Names go round: each is free for a moment only.
      const [first, second] = [await items.findOne({ _id: one }), await items.findOne({ _id: other })];
      if (!first || !second) return;
      await items.updateOne({ _id: one }, { $set: { name: `between ${n}` } });
      await items.updateOne({ _id: other }, { $set: { name: first.name } });
      await items.updateOne({ _id: one }, { $set: { name: second.name } });
    }
  }
  let changed = 0;
  // A name may be taken meanwhile: then that change is none.
  const changing = Promise.all(
    Array.from({ length: CHANGERS }, async () => {
      while (changed < CHANGES) await change(changed++).catch(ignoring(DUPLICATE_KEY));
    }),
  );
  for (const name of await carrier.collections()) await carrier.copy(name);
  const changedMeanwhile = changed;
  while (changed < CHANGES) await carrier.changes();
  await changing;
  while ((await carrier.changes()) > 0);
  expect(changedMeanwhile).toBeGreaterThan(0);
  expect(carrier.deferred()).toEqual([]);
  const all = { sort: { _id: 1 }, raw: true } as const;
  const [ours, theirs] = await Promise.all([
    items.find({}, all).toArray(),
    target.collection('items').find({}, all).toArray(),
  ]);
  expect(theirs.length).toBe(ours.length);
  expect(theirs).toEqual(ours);
  expect(await target.collection('items').indexExists('name')).toBe(true);
  expect(mark.copied).toEqual(['items']);
});

it('after an end of writes for good, the database takes none, and says where to go', async () => {
  const { source, steps, folder } = await sides();
  const items = source.collection<{ _id: number }>('items');
  const paused = await steps.pause(60_000);
  await expect(items.insertOne({ _id: 1 })).rejects.toMatchObject({ code: 365 });
  expect(await items.countDocuments()).toBe(0);
  await steps.resume();
  await items.insertOne({ _id: 1 });
  // That pause is over, and what was carried over under it is not all any more.
  await expect(steps.finish(paused, { to: 'mongodb://there/letsapp', move: 'm' })).rejects.toThrow(/taken again/);
  const again = await steps.pause(60_000);
  expect(again).not.toBe(paused);
  expect(await steps.pause(60_000)).toBe(again);
  await steps.finish(again, { to: 'mongodb://there/letsapp', move: 'm' });
  await steps.resume();
  await expect(items.insertOne({ _id: 2 })).rejects.toThrow(/mongodb:\/\/there\/letsapp/);
  expect(await items.countDocuments()).toBe(1);
  expect(await beginMove(folder)).toMatchObject({ moved: { to: 'mongodb://there/letsapp', move: 'm' } });
});

it('one at a time moves a database', async () => {
  const { folder } = await sides();
  const first = await beginMove(folder);
  await expect(beginMove(folder)).rejects.toThrow(/another letsapp move/);
  if ('release' in first) first.release();
  const next = await beginMove(folder);
  if ('release' in next) next.release();
  expect(next).not.toHaveProperty('moved');
});

it('a pause that nobody renews ends by itself', async () => {
  const { source, steps } = await sides();
  await steps.pause(200);
  const items = source.collection<{ _id: number }>('items');
  await expect
    .poll(
      () =>
        items.insertOne({ _id: 1 }).then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
});

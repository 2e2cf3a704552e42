/**
 * A pass over a collection that folds anew what search compares, beside the service: the newest documents first, a page
 * at a time by `_id`, with a rest after each page that is as long as the page took. It is a chain of jobs of about a
 * second each, so any node goes on where another one stopped.
 *
 * There are two rounds. The second comes an hour after the first and finds what nodes of an earlier version wrote during
 * a rolling upgrade. A document that is right is only read, so repeating any part changes nothing.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Collection, type Document, type Filter, ObjectId, type UpdateOneModel } from 'mongodb';
import { type Folded, foldingJob, roundKey } from '../model/passes.ts';
import type { JobPayload } from './job-store.ts';
import type { Jobs } from './jobs.ts';

const PAGE = 100;
const STEP_MS = 1000;
/** The event loop is given to others after so many milliseconds. */
const TURN_MS = 5;
const ROUNDS = 2;
const BETWEEN_ROUNDS_MS = 60 * 60_000;

export interface PassOptions<D extends Document & { _id: ObjectId }> {
  jobs: Pick<Jobs, 'handle' | 'add'>;
  clock(): Date;
  collection: Collection<D>;
  name: Folded;
  filter: Filter<D>;
  projection: Document;
  /** The update that a document needs, whose filter repeats what it rests on; undefined where the document is right. */
  update(document: D): UpdateOneModel<D> | undefined;
  /** How long a step goes on for, in milliseconds; for tests. */
  stepMs?: number;
}

/** Names the jobs of a pass; from then on this node carries them out. */
export function handlePass<D extends Document & { _id: ObjectId }>(options: PassOptions<D>): void {
  const { jobs, clock, collection, name, filter, projection, stepMs = STEP_MS } = options;

  async function page(after: ObjectId | undefined): Promise<D[]> {
    const below = after === undefined ? filter : { $and: [filter, { _id: { $lt: after } }] };
    const found = collection.find(below as Filter<D>, { projection, batchSize: PAGE + 1 });
    return (await found.sort({ _id: -1 }).limit(PAGE).toArray()) as D[];
  }

  /** @returns the id that the next step goes on from; undefined at the end of the collection */
  async function step(from: ObjectId | undefined): Promise<ObjectId | undefined> {
    const until = performance.now() + stepMs;
    let after = from;
    do {
      const began = performance.now();
      const documents = await page(after);
      const updates = await updatesOf(documents, options.update);
      if (updates.length > 0) {
        await collection.bulkWrite(
          updates.map((updateOne) => ({ updateOne })),
          { ordered: false },
        );
      }
      if (documents.length < PAGE) return undefined;
      after = documents.at(-1)!._id;
      await setTimeout(performance.now() - began);
    } while (performance.now() < until);
    return after;
  }

  async function run({ round, after }: JobPayload): Promise<void> {
    const next = await step(after === undefined ? undefined : new ObjectId(String(after)));
    // The next job is stored before this one is removed: the chain does not break where the process dies.
    const kind = foldingJob(name);
    if (next) {
      const hex = next.toHexString();
      await jobs.add(kind, `${roundKey(Number(round))}${hex}`, { round: Number(round), after: hex });
    } else if (Number(round) < ROUNDS) {
      const due = new Date(clock().getTime() + BETWEEN_ROUNDS_MS);
      await jobs.add(kind, roundKey(Number(round) + 1), { round: Number(round) + 1 }, due);
    }
  }

  jobs.handle(foldingJob(name), { run });
}

async function updatesOf<D extends Document>(
  documents: D[],
  update: (document: D) => UpdateOneModel<D> | undefined,
): Promise<UpdateOneModel<D>[]> {
  const updates: UpdateOneModel<D>[] = [];
  let turn = performance.now();
  for (const document of documents) {
    const needed = update(document);
    if (needed) updates.push(needed);
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
  return updates;
}

/**
 * What concurrent commands ask of the store goes to it as one command (group commit, as databases do with their logs):
 * each command costs this process, the network and the store far more than one more document in it does.
 */
import DataLoader from 'dataloader';
import type { Collection, Filter, ObjectId } from 'mongodb';

/** How long a batch waits for the one before it, in milliseconds: one that hangs holds nobody up for longer. */
const PATIENCE_MS = 20;

/**
 * The first batch leaves at the end of the turn of the event loop in which its first key came. While it is under way
 * the next one gathers, and leaves when the answer is there: the busier the store, the larger the batches.
 * @param run carries out a batch of at most `maxBatchSize` keys; gives an answer, or an error, for each in their order
 * @returns asks for one key; nothing is remembered
 */
export function batched<K, V>(
  run: (keys: readonly K[]) => Promise<(V | Error)[]>,
  maxBatchSize = 200,
): (key: K) => Promise<V> {
  let underWay = 0;
  const gathering = new Set<() => void>();

  function gather(dispatch: () => void): void {
    const leave = () => {
      clearTimeout(timer);
      gathering.delete(leave);
      setImmediate(dispatch);
    };
    const timer = setTimeout(leave, PATIENCE_MS);
    gathering.add(leave);
  }

  const loader = new DataLoader<K, V>(
    async (keys) => {
      underWay++;
      try {
        return await run(keys);
      } finally {
        underWay--;
        if (underWay === 0) for (const leave of gathering) leave();
      }
    },
    {
      cache: false,
      maxBatchSize,
      batchScheduleFn: (dispatch) => (underWay === 0 ? setImmediate(dispatch) : gather(dispatch)),
    },
  );
  return (key) => loader.load(key);
}

/** Looks up documents by their ids: one query for all that are asked for at once. */
export function batchedById<D extends { _id: ObjectId }>(
  collection: Collection<D>,
): (id: ObjectId) => Promise<D | undefined> {
  return batched(async (ids: readonly ObjectId[]) => {
    const wanted = new Map(ids.map((id) => [id.toHexString(), id]));
    const found = await collection
      .find({ _id: { $in: [...wanted.values()] } } as Filter<D>, { batchSize: wanted.size + 1 })
      .toArray();
    const byId = new Map(found.map((document) => [document._id.toHexString(), document as D]));
    return ids.map((id) => byId.get(id.toHexString()));
  });
}

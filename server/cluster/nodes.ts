/**
 * Which server processes live. Each writes a growing number every few seconds; the others watch whether it grows, each
 * by its own clock, so that clocks need not agree. A process of the same machine that is gone is noticed at once.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Collections } from '../model/collections.ts';
import type { NodeDocument } from '../model/documents/cluster.ts';
import { isOutOfDiskSpace } from '../model/failures.ts';
import { isRunning, thisMachine } from './machine.ts';

const BEAT_MS = 5000;
/** A node whose number has not grown for this long is dead. */
const SILENCE_MS = 15_000;

export interface Nodes {
  /** This process's name: new at each start, so that an earlier run on the same machine is another node. */
  id: string;
  /** Those of the named nodes that are dead: ended, gone, or silent for too long. Never this one. */
  deadAmong(ids: string[]): Promise<string[]>;
  /** Tells the others that this node has ended. */
  close(): Promise<void>;
}

/**
 * Announces this node; from then on it counts as living.
 * @throws MongoError when the store cannot be reached; one without room announces it later
 */
export async function startNodes({ nodes }: Pick<Collections, 'nodes'>, log: Logger): Promise<Nodes> {
  const id = randomUUID();
  const machine = thisMachine();
  const observed = new Map<string, { beat: number; since: number }>();
  let lookedAt = performance.now();

  const beat = () =>
    nodes.updateOne(
      { _id: id },
      { $inc: { beat: 1 }, $set: { seen_at: new Date() }, $setOnInsert: { machine, pid: process.pid } },
      { upsert: true },
    );
  await beat().catch((err) => {
    // Nobody else can write either. What can be read is served, and a later beat announces this node.
    if (!isOutOfDiskSpace(err)) throw err;
    log.warn({ err }, 'the store has no room: this node serves what can be read');
  });
  const beating = setInterval(
    () => beat().catch((err) => log.debug({ err }, 'no sign of life could be given')),
    BEAT_MS,
  );
  beating.unref();

  function isDead(node: NodeDocument, now: number): boolean {
    if (node.machine === machine && !isRunning(node.pid)) return true;
    const last = observed.get(node._id);
    if (last?.beat === node.beat) return now - last.since > SILENCE_MS;
    observed.set(node._id, { beat: node.beat, since: now });
    return false;
  }

  return {
    id,
    async deadAmong(ids) {
      const others = [...new Set(ids)].filter((other) => other !== id);
      if (others.length === 0) return [];
      const found = await nodes.find({ _id: { $in: others } }).toArray();
      const now = performance.now();
      // After a pause of this process itself, what it observed before tells nothing.
      if (now - lookedAt > SILENCE_MS) observed.clear();
      lookedAt = now;
      const living = new Set(found.filter((node) => !isDead(node, now)).map((node) => node._id));
      return others.filter((other) => !living.has(other));
    },
    async close() {
      clearInterval(beating);
      await nodes.deleteOne({ _id: id }).catch((err) => log.debug({ err }, 'the end could not be told'));
    },
  };
}

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

/** The nodes of this process: any other record with its process id is from an earlier process. */
const own = new Set<string>();

export interface Nodes {
  /** This process's name: new at each start, so that an earlier run on the same machine is another node. */
  id: string;
  /** Those of the named nodes that are dead: ended, gone, or silent for too long. Never this one. */
  deadAmong(ids: string[]): Promise<string[]>;
  /** The other nodes that are not dead: those that live for certain, and those of which it is not known yet. */
  others(): Promise<{ living: number; possible: number }>;
  /** Tells the others that this node has ended. */
  close(): Promise<void>;
}

/**
 * Announces this node; from then on it counts as living.
 * @throws MongoError when the store cannot be reached; if it only lacks room, the node is announced later
 */
export async function startNodes(
  { nodes }: Pick<Collections, 'nodes'>,
  clock: () => Date,
  log: Logger,
): Promise<Nodes> {
  const id = randomUUID();
  own.add(id);
  const machine = thisMachine();
  const observed = new Map<string, { beat: number; since: number; hasGrown: boolean }>();
  let lookedAt = performance.now();

  const beat = () =>
    nodes.updateOne(
      { _id: id },
      { $inc: { beat: 1 }, $set: { seen_at: clock() }, $setOnInsert: { machine, pid: process.pid } },
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

  const isHere = (node: NodeDocument) => node.machine === machine;
  const runs = ({ _id, pid }: NodeDocument) => (pid === process.pid ? own.has(_id) : isRunning(pid));

  function isDead(node: NodeDocument, now: number): boolean {
    if (isHere(node) && !runs(node)) return true;
    const last = observed.get(node._id);
    if (last?.beat === node.beat) return now - last.since > SILENCE_MS;
    observed.set(node._id, { beat: node.beat, since: now, hasGrown: last !== undefined });
    return false;
  }

  /** Looks at records of other nodes. @returns those that are not dead */
  function notDeadAmong(found: NodeDocument[]): NodeDocument[] {
    const now = performance.now();
    // After a pause of this process itself, what it observed before tells nothing.
    if (now - lookedAt > SILENCE_MS) observed.clear();
    lookedAt = now;
    return found.filter((node) => !isDead(node, now));
  }

  return {
    id,
    async deadAmong(ids) {
      const others = [...new Set(ids)].filter((other) => other !== id);
      if (others.length === 0) return [];
      const found = await nodes.find({ _id: { $in: others } }).toArray();
      const living = new Set(notDeadAmong(found).map((node) => node._id));
      return others.filter((other) => !living.has(other));
    },
    async others() {
      const found = notDeadAmong(await nodes.find({ _id: { $ne: id } }).toArray());
      const living = found.filter((node) => isHere(node) || observed.get(node._id)?.hasGrown);
      return { living: living.length, possible: found.length - living.length };
    },
    async close() {
      clearInterval(beating);
      await nodes.deleteOne({ _id: id }).catch((err) => log.debug({ err }, 'the end could not be told'));
    },
  };
}

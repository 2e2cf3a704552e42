/**
 * Other servers on the database of a node without Redis. They tell each other nothing: neither what happens, nor that a
 * right was taken away. So the node watches out for them, says so, and relies on nothing that they may have changed.
 */
import type { Logger } from 'pino';
import { every } from '../lib/every.ts';
import type { Nodes } from './nodes.ts';

const LOOK_MS = 2000;
/** How often the warning is given, in milliseconds. */
const SAY_MS = 60_000;
const WARNING =
  'other servers use this database, and REDIS_URL is not set: people connected to them hear nothing of those connected here. ' +
  'Set the same REDIS_URL for all, or run only one';

export interface Neighbours {
  /** How many other servers live for certain. */
  count(): number;
  /** Whether it is certain that there is none: a server that has just fallen silent may live. */
  isAlone(): boolean;
  close(): void;
}

export interface NeighboursOptions {
  nodes: Pick<Nodes, 'others'>;
  /** Called when there is, or may be, a neighbour where there was none. */
  onArrival(): void;
  log: Logger;
}

/** Looks around before it resolves, and every two seconds from then on. */
export async function watchNeighbours({ nodes, onArrival, log }: NeighboursOptions): Promise<Neighbours> {
  let seen = { living: 0, possible: 0 };
  let saidAt: number | undefined;
  const isAlone = () => seen.living + seen.possible === 0;

  async function look(): Promise<void> {
    const wasAlone = isAlone();
    seen = await nodes.others();
    if (wasAlone && !isAlone()) onArrival();
    const now = performance.now();
    if (seen.living === 0) saidAt = undefined;
    else if (saidAt === undefined || now - saidAt >= SAY_MS) {
      saidAt = now;
      log.warn({ other_nodes: seen.living }, WARNING);
    }
  }

  await look();
  const { close } = every(LOOK_MS, look, (err) => log.debug({ err }, 'the other servers could not be looked at'));

  return { count: () => seen.living, isAlone, close };
}

/** With Redis, by which all nodes tell each other everything. */
export const LINKED: Neighbours = { count: () => 0, isAlone: () => false, close: () => {} };

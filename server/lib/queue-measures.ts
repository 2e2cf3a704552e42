/** What is measured of queues: how much is in them, and how long it waits until it begins. */
import { type Count, type Distribution, gauges, histograms, WAITS } from './measures.ts';

const lengths = gauges('letsapp_queue_length', 'Pieces of work that wait in a queue or are under way', ['queue']);
const waits = histograms('letsapp_queue_wait_seconds', 'How long work waited until it began', ['queue'], WAITS);

export interface QueueMeasures {
  length: Count;
  waited: Distribution;
}

/** @param name the queue's */
export function queueMeasures(name: string): QueueMeasures {
  return { length: lengths(name), waited: waits(name) };
}

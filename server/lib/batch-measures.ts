/** What is measured of batches (group commit): how many requests leave together, and how long the first of them waits. */
import { type Distribution, histograms, SIZES, WAITS } from './measures.ts';

const sizes = histograms('letsapp_batch_size', 'How many requests left together', ['batch'], SIZES);
const waits = histograms(
  'letsapp_batch_wait_seconds',
  'How long the first request of a batch waited',
  ['batch'],
  WAITS,
);

export interface BatchMeasures {
  size: Distribution;
  waited: Distribution;
}

/** @param name the batch's */
export function batchMeasures(name: string): BatchMeasures {
  return { size: sizes(name), waited: waits(name) };
}

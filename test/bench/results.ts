/** What one run of the benchmark found, as it is written to JSON. */
import type { Machine } from './machine.ts';
import type { Findings } from './part.ts';

/** The same figures of what stood before, or of another server. */
export interface Before {
  /** When they were measured, or of what. */
  name: string;
  parts: Record<string, PartResult>;
}

export interface Results {
  /** ISO 8601. */
  date: string;
  machine: Machine;
  /** By the name of the part. */
  parts: Record<string, PartResult>;
  /** Measured in the same run. */
  before?: Before;
}

/** What a part found, or why it did not come to its end. */
export type PartResult = { seconds: number } & (({ error?: undefined } & Findings) | { error: string });

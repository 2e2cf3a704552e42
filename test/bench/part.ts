/** What every part of the benchmark is. */
import type { Bench } from './bench.ts';
import type { Measurement, Row } from './measurement.ts';

export interface Table {
  title: string;
  header: string[];
  rows: string[][];
}

export interface Findings {
  /** By the id of the row. */
  measurements: Record<string, Measurement>;
  notes?: string[];
  tables?: Table[];
}

export interface Part {
  /** What it does, in one line. */
  about: string;
  /** What it measures, by id. */
  rows: Record<string, Row>;
  /** Only when it is named. */
  isLong?: true;
  /** No other server is about while it runs, not even an idle one. */
  isAlone?: true;
  run(bench: Bench): Promise<Findings>;
}

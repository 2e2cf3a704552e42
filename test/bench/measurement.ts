/** What a part of the benchmark measures, declared, and what it found. */

/** What a figure must reach: the ratio to what it is compared with, or the figure itself. */
export type Target = { of: 'ratio' | 'measured' } & ({ atLeast: number } | { atMost: number });

/** One figure of the benchmark, before it is measured. */
export interface Row {
  what: string;
  unit: string;
  /** What it is compared with, where it is not the bare relay. */
  against?: string;
  target?: Target;
}

/** One figure, measured. */
export interface Measurement {
  /** Of LetsApp, the median of the rounds. */
  measured: number;
  /** Of what it is compared with in the same rounds. */
  against?: number;
  /** The median of the rounds' ratios, and the least and the most of them. */
  ratio?: number;
  spread?: [number, number];
  /** Milliseconds of processor time a message: of server and store, and of the relay. */
  cpu?: { ours: number; relay?: number };
  /** Bytes a message: written by the store (files and replies), and between server and store on the wire. */
  bytes?: { written?: number; wire?: number };
}

/** One round of a comparison. */
export interface Round {
  against: number;
  measured: number;
}

/** The value below which a share of the values lies (nearest rank). */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The middle of an odd number of values; of an even number the lower middle. */
export const median = (values: number[]) => percentile(values, 0.5);

/** @returns the medians of several rounds; the ratio is that of the rounds, not that of the medians */
export function compared(rounds: Round[]): Measurement {
  const ratios = rounds.map(({ against, measured }) => measured / against);
  return {
    measured: median(rounds.map(({ measured }) => measured)),
    against: median(rounds.map(({ against }) => against)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** @returns the median of several rounds that are compared with nothing */
export const alone = (values: number[]): Measurement => ({ measured: median(values) });

/** Whether a figure reaches its target; undefined where there is none. */
export function isMet({ target }: Row, { measured, ratio }: Measurement): boolean | undefined {
  if (!target) return undefined;
  const value = target.of === 'ratio' ? ratio : measured;
  if (value === undefined || Number.isNaN(value)) return false;
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

/** Figures, and the table that they are printed in. */

export interface Row {
  what: string;
  /** Of the thing compared with: the bare relay, or the same without load. */
  against: string;
  measured: string;
  ratio: number;
  target: string;
  /** Undefined where there is no target. */
  good: boolean | undefined;
}

/** The value below which a share of the values lies (nearest rank). */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** A row whose ratio must be at least the target. */
export function atLeast(what: string, against: number, measured: number, target: number, unit: string): Row {
  const ratio = measured / against;
  return { what, ...written(against, measured, unit), ratio, target: `≥ ${target}`, good: ratio >= target };
}

/** A row whose ratio must be at most the target. */
export function atMost(what: string, against: number, measured: number, target: number, unit: string): Row {
  const ratio = measured / against;
  return { what, ...written(against, measured, unit), ratio, target: `≤ ${target}`, good: ratio <= target };
}

/** A row without a target. */
export function noted(what: string, against: number, measured: number, unit: string): Row {
  return { what, ...written(against, measured, unit), ratio: measured / against, target: '', good: undefined };
}

function written(against: number, measured: number, unit: string): { against: string; measured: string } {
  const write = (value: number) => `${value >= 100 ? Math.round(value) : value.toFixed(2)} ${unit}`;
  return { against: write(against), measured: write(measured) };
}

export function print(rows: Row[]): void {
  const header = { what: 'what', against: 'against', measured: 'LetsApp', ratio: 'ratio', target: 'target', good: '' };
  const lines = [
    header,
    ...rows.map((row) => ({
      ...row,
      ratio: row.ratio.toFixed(2),
      good: row.good === undefined ? '' : row.good ? 'ok' : 'MISSED',
    })),
  ];
  const columns = ['what', 'against', 'measured', 'ratio', 'target', 'good'] as const;
  const widths = columns.map((column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) console.log(columns.map((column, i) => line[column].padEnd(widths[i]!)).join('  '));
}

/** How figures are written. */
import type { Measurement, Row, Target } from './measurement.ts';

/** About three digits that count, as people read them. */
export function number(value: number): string {
  if (Number.isNaN(value)) return '?';
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

export const quantity = (value: number, unit: string) => (unit ? `${number(value)} ${unit}` : number(value));

/** `0.22 (0.21–0.24)` */
export function ratio({ ratio: value, spread }: Measurement): string {
  if (value === undefined) return '';
  const [least, most] = (spread ?? [value, value]).map(number);
  return least === most ? number(value) : `${number(value)} (${least}–${most})`;
}

export function target(row: Row): string {
  if (!row.target) return '';
  const [sign, value] = boundOf(row.target);
  return `${sign} ${row.target.of === 'ratio' ? value : quantity(value, row.unit)}`;
}

function boundOf(bound: Target): [string, number] {
  return 'atLeast' in bound ? ['≥', bound.atLeast] : ['≤', bound.atMost];
}

export function cpu({ cpu: spent }: Measurement): string {
  if (!spent) return '';
  return spent.relay === undefined ? number(spent.ours) : `${number(spent.ours)} (relay ${number(spent.relay)})`;
}

export function bytes({ bytes: moved }: Measurement): string {
  const parts = [
    moved?.written === undefined || Number.isNaN(moved.written) ? '' : `${number(moved.written)} written`,
    moved?.wire === undefined ? '' : `${number(moved.wire)} on the wire`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** A Markdown table. Bars within cells are escaped. */
export function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What a part found, for the terminal. */
import { rowCells } from './document.ts';
import type { Part } from './part.ts';
import type { PartResult } from './results.ts';

/** @returns lines: the table, further tables, notes */
export function printed(name: string, part: Part, result: PartResult): string {
  if (result.error !== undefined) return `${name} FAILED: ${result.error}`;
  const header = ['what', 'LetsApp', 'against', 'ratio', 'target', 'met', 'CPU ms', 'bytes'];
  const rows = Object.entries(part.rows).map(([id, row]) => rowCells(row, result.measurements[id]));
  const tables = (result.tables ?? []).map(({ title, header: columns, rows: lines }) =>
    [title, aligned([columns, ...lines])].join('\n'),
  );
  return [aligned([header, ...rows]), ...tables, ...(result.notes ?? []), `${Math.round(result.seconds)} s`].join('\n');
}

function aligned(lines: string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

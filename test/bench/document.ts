/** `docs/benchmark.md`, made whole of what a run found. */
import { isMet, type Measurement, type Row } from './measurement.ts';
import type { Part } from './part.ts';
import type { Before, PartResult, Results } from './results.ts';
import * as written from './written.ts';

const HEAD = `# Benchmark

Written by \`npm run bench\`; do not edit. What is measured and how stands in \`test/bench/parts/\`, one file a part.

The server is measured against a bare Socket.IO relay (\`test/bench/relay.ts\`: WebSocket only, no authentication,
validation or storage) in one run on one machine. The server, its database, the relay and the load are processes of their
own. Absolute figures depend on the machine; the ratios count.

\`\`\`sh
npm run bench                          # everything but the long parts, about ten minutes; writes this file
npm run bench -- throughput latency    # parts, each about a minute: printed only
npm run bench -- --json now.json       # the figures as JSON, too
npm run bench -- --before then.json    # those of an earlier run beside
npm run bench -- --other ../other      # those of the server of another checkout beside, each part right after ours
npm run bench -- --from now.json       # this file anew of figures, nothing measured
MONGODB_URL=… npm run bench            # on a real MongoDB
BESIDE=../other npm run bench -- beside    # this build and that of another checkout, in turns
\`\`\`

Each figure is the median of three rounds in which the sides take turns, each ratio that of the rounds' ratios (in brackets
the least and the most). CPU is processor time of the server and its store a message, by the kernel's account; bytes are
what the store wrote (files and replies), and what went over the wire between server and store. A rate counts only if everything
acknowledged was also delivered; the load compares. Figures of processes need Linux.`;

/**
 * @param results of a run
 * @param parts all that there are
 * @param remarks why a figure misses its target, by part and row (`life.lives`)
 * @param before by default what was measured in the same run
 * @returns the whole document
 */
export function benchmarkDocument(
  results: Results,
  parts: Record<string, Part>,
  remarks: Record<string, string>,
  before: Before | undefined = results.before,
): string {
  const entries = Object.entries(parts);
  const sections = [
    HEAD,
    machine(results),
    table(entries, results, before),
    missed(entries, results, remarks),
    absent(entries, results),
    ...entries.map(([name, part]) => details(name, part, results.parts[name])),
  ];
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}

function machine({ date, machine: on }: Results): string {
  return `## Figures

${date.slice(0, 10)}, ${on.cores} cores (${on.cpu}) that all processes share, ${on.memoryGiB} GiB, ${on.system}, Node ${on.node}, store: ${on.store}.
The load average before the run was ${on.loadBefore.toFixed(1)}: of more than a little, the machine had other work, too.`;
}

const HEADER = ['what', 'LetsApp', 'against', 'ratio', 'target', 'met', 'CPU ms a message', 'bytes a message'];

function table(entries: [string, Part][], results: Results, before: Before | undefined): string {
  const rows = entries.flatMap(([name, part]) =>
    Object.entries(part.rows).map(([id, row]) => {
      const cells = rowCells(row, measurementOf(results.parts[name], id));
      const earlier = measurementOf(before?.parts[name], id);
      return before ? [...cells, earlier ? beforeCell(row, earlier) : 'not measured'] : cells;
    }),
  );
  return written.table(before ? [...HEADER, `before (${before.name})`] : HEADER, rows);
}

function measurementOf(part: PartResult | undefined, id: string): Measurement | undefined {
  return part && part.error === undefined ? part.measurements[id] : undefined;
}

/** The cells of a figure, in the order of `HEADER`. */
export function rowCells(row: Row, found: Measurement | undefined): string[] {
  if (!found) return [row.what, 'not measured', '', '', written.target(row), '', '', ''];
  const against = found.against === undefined ? '' : written.quantity(found.against, row.unit);
  const met = isMet(row, found);
  return [
    row.what,
    written.quantity(found.measured, row.unit),
    row.against && against ? `${against} (${row.against})` : against,
    written.ratio(found),
    written.target(row),
    met === undefined ? '' : met ? 'yes' : '**missed**',
    written.cpu(found),
    written.bytes(found),
  ];
}

function beforeCell(row: Row, found: Measurement): string {
  const value = written.quantity(found.measured, row.unit);
  return found.ratio === undefined ? value : `${value}, ratio ${written.number(found.ratio)}`;
}

function missed(entries: [string, Part][], results: Results, remarks: Record<string, string>): string {
  const lines = entries.flatMap(([name, part]) =>
    Object.entries(part.rows).flatMap(([id, row]) => {
      const found = measurementOf(results.parts[name], id);
      if (!found || isMet(row, found) !== false) return [];
      return [`- **${row.what}**: ${remarks[`${name}.${id}`] ?? 'no reason is written down yet.'}`];
    }),
  );
  return lines.length === 0 ? '' : `## What is missed, and why\n\n${lines.join('\n')}`;
}

function absent(entries: [string, Part][], results: Results): string {
  const lines = entries.flatMap(([name, part]) => {
    const result = results.parts[name];
    if (!result) return [`- \`${name}\`: not run${part.isLong ? ', it takes minutes (only when named)' : ''}.`];
    return result.error === undefined ? [] : [`- \`${name}\`: failed: ${result.error}`];
  });
  return lines.length === 0 ? '' : `## Not measured in this run\n\n${lines.join('\n')}`;
}

function details(name: string, part: Part, result: PartResult | undefined): string {
  if (!result || result.error !== undefined) return `## \`${name}\`\n\n${part.about}.`;
  const notes = (result.notes ?? []).map((note) => `- ${note}`).join('\n');
  const tables = (result.tables ?? []).map(({ title, header, rows }) => `${title}:\n\n${written.table(header, rows)}`);
  const about = `## \`${name}\`\n\n${part.about}. Took ${Math.round(result.seconds)} s.`;
  return [about, notes, ...tables].filter(Boolean).join('\n\n');
}

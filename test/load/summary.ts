/** The report in lines, for the terminal. */
import { sum } from './figures.ts';
import { type LoadReport, remarks } from './report.ts';

export function summary(report: LoadReport): string {
  const { options, rows, totals, verdict, tool, seconds } = report;
  const header = ['', 'answers', '/s', 'p50 ms', 'p95', 'p99', 'max', 'errors', 'not begun'];
  const table = rows.map((row) => {
    const { p50, p95, p99, max } = row.latency_ms;
    const errors = Object.entries(row.errors).map(([code, count]) => `${code} ${count}`);
    return [
      row.what,
      String(row.answered),
      (row.answered / seconds.loaded).toFixed(1),
      ...[p50, p95, p99, max].map((value) => value.toFixed(1)),
      errors.join(', ') || '0',
      String(sum(row.not_begun)),
    ];
  });
  const lines = [header, ...table];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const written = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  return [
    `${options.mix}: ${options.users} users, ${options.rate} planned actions/s for ${seconds.loaded.toFixed(1)} s ` +
      `(processes: ${options.processes}, seed: ${options.seed})`,
    `${totals.answered} answers, ${totals.answered_per_second.toFixed(1)}/s; the tool took ` +
      `${tool.cpu_ms_per_answer.toFixed(3)} ms of CPU for each and was ${tool.late_ms.p99.toFixed(1)} ms late (p99)`,
    '',
    ...written.map((line) => line.trimEnd()),
    '',
    `${verdict.acknowledged} of ${verdict.sent} messages acknowledged: ` +
      `${verdict.lost} lost, ${verdict.doubled} doubled, ${verdict.outOfOrder} out of order`,
    ...verdict.findings.map((finding) => `  ${finding}`),
    ...remarks(report),
  ].join('\n');
}

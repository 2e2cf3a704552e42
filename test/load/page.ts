/** The report as one page of HTML that loads nothing. */
import { type Chart, lineChart, short, shortTime } from './charts.ts';
import { type SecondRow, sum } from './figures.ts';
import { STYLE } from './page-style.ts';
import { type LoadReport, remarks } from './report.ts';
import { isClean } from './verdict.ts';

/** Points of a line; of a longer run each stands for several seconds. */
const MOST_POINTS = 400;

export function page(report: LoadReport): string {
  const { options, timeline, mix } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Load of ${escaped(options.url)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Load of ${escaped(options.url)}</h1>
<p><b>${options.mix}</b>: ${escaped(mix.about)}. ${escaped(report.started_at.slice(0, 16).replace('T', ' '))} UTC</p>
</header>
${verdictPart(report)}
${tiles(report)}
${charts(timeline.seconds, timeline.lead).map(lineChart).join('\n')}
${table(report)}
${bars('Errors by code', report.totals.errors)}
${bars('Not begun by reason', report.totals.not_begun)}
${details(report)}
</main>
</body>
</html>
`;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function verdictPart({ verdict, ...rest }: LoadReport): string {
  const words =
    `${verdict.acknowledged} of ${verdict.sent} messages acknowledged: ${verdict.lost} lost, ` +
    `${verdict.doubled} doubled, ${verdict.outOfOrder} out of order`;
  const notes = [...verdict.findings, ...remarks({ verdict, ...rest })];
  const list = notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>`;
  return `<section class="verdict ${isClean(verdict) ? 'good' : 'bad'}"><p>${words}</p>${list}</section>`;
}

function tiles({ totals, options, rows, timeline, seconds }: LoadReport): string {
  const lead = rows.find(({ what }) => what === timeline.lead);
  const errors = sum(totals.errors);
  const all: [string, string][] = [
    [short(options.users), 'users'],
    [`${short(options.rate)}/s`, 'planned actions'],
    [`${short(totals.answered_per_second)}/s`, 'answers'],
    [lead ? shortTime(lead.latency_ms.p50) : '–', `${timeline.lead} p50`],
    [lead ? shortTime(lead.latency_ms.p99) : '–', `${timeline.lead} p99`],
    [short(errors), 'errors'],
    [`${seconds.loaded.toFixed(0)} s`, 'of load'],
  ];
  return `<dl>${all.map(([value, name]) => `<div><dd>${value}</dd><dt>${name}</dt></div>`).join('')}</dl>`;
}

function charts(seconds: SecondRow[], lead: string): Chart[] {
  const step = Math.max(1, Math.ceil(seconds.length / MOST_POINTS));
  // Each second counts from its end, so what the last one has is not a whole second's.
  const whole = seconds.length > 1 ? seconds.slice(0, -1) : seconds;
  const parts = Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => whole.slice(i * step, (i + 1) * step));
  const mean = (of: (row: SecondRow) => number) =>
    parts.map((part) => part.reduce((total, row) => total + of(row), 0) / part.length);
  const highest = (key: 'p50' | 'p95' | 'p99' | 'max') =>
    parts.map((part) => {
      const values = part.flatMap(({ latency_ms }) => (latency_ms ? [latency_ms[key]] : []));
      return values.length === 0 ? null : Math.max(...values);
    });
  const beside = [
    { name: 'errors', tone: 'bad', values: mean(({ errors }) => errors) },
    { name: 'not begun', tone: 'dim', values: mean(({ not_begun }) => not_begun) },
  ].filter(({ values }) => values.some((value) => value > 0));
  return [
    {
      title: 'Throughput',
      unit: 'per second',
      step,
      series: [{ name: 'answers', tone: 'one', values: mean(({ answered }) => answered) }, ...beside],
    },
    {
      title: `Latency of ${lead}`,
      unit: 'ms from the planned time, logarithmic',
      step,
      isLogarithmic: true,
      series: [
        { name: 'max', tone: 'dim', values: highest('max') },
        { name: 'p99', tone: 'three', values: highest('p99') },
        { name: 'p95', tone: 'two', values: highest('p95') },
        { name: 'p50', tone: 'one', values: highest('p50') },
      ],
    },
  ];
}

function table({ rows, seconds }: LoadReport): string {
  const cells = rows.map(({ what, answered, latency_ms: { p50, p95, p99, max }, errors, not_begun }) => {
    const times = [p50, p95, p99, max].map((value) => `<td>${answered === 0 ? '–' : short(value)}</td>`).join('');
    const perSecond = short(answered / seconds.loaded);
    return (
      `<tr><th scope="row">${escaped(what)}</th><td>${answered}</td><td>${perSecond}</td>${times}` +
      `${counted(errors)}${counted(not_begun)}</tr>`
    );
  });
  const names = ['', 'answers', 'per s', 'p50 ms', 'p95', 'p99', 'max', 'errors', 'not begun'];
  return (
    `<h2>By command</h2><div class="wide"><table><thead><tr>${names.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>` +
    `<tbody>${cells.join('')}</tbody></table></div>` +
    '<p class="dim">An arrow is an event that arrived, counted from when the command that caused it was planned.</p>'
  );
}

/** A cell that says how many there are; what of is seen when pointing at it. */
function counted(counts: Record<string, number>): string {
  const kinds = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`);
  return `<td title="${escaped(kinds.join(', '))}">${sum(counts) || ''}</td>`;
}

function bars(title: string, counts: Record<string, number>): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return '';
  const most = entries[0]![1];
  const rows = entries.map(
    ([name, count]) =>
      `<div class="bar"><span>${escaped(name)}</span><span><i style="width:${((100 * count) / most).toFixed(1)}%"></i></span>` +
      `<span>${count}</span></div>`,
  );
  return `<h2>${title}</h2>${rows.join('')}`;
}

function details({ options, tool, seconds }: LoadReport): string {
  const lines = [
    `Processes: ${options.processes}; at most ${options.inFlight} commands under way, ${options.timeoutMs / 1000} s for an answer, seed ${options.seed}.`,
    `Prepared in ${seconds.prepared.toFixed(1)} s, checked in ${seconds.checked.toFixed(1)} s.`,
    `The tool took ${tool.cpu_ms_per_answer.toFixed(3)} ms of CPU for an answer, ${(tool.cpu_share * 100).toFixed(0)} % of a core ` +
      `in each process, and began actions ${shortTime(tool.late_ms.p50)} (p50) to ${shortTime(tool.late_ms.p99)} (p99) late.`,
    `It ran on Node ${tool.node}, ${tool.cores} × ${tool.cpu}.`,
  ];
  return `<h2>How it was measured</h2><p class="dim">${lines.map(escaped).join('<br>')}</p>`;
}

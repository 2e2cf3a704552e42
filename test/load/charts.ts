/** Charts as inline SVG: lines over time, without a script. */

export interface Series {
  name: string;
  /** The class that gives it its colour. */
  tone: string;
  /** One value a second; null where there is none. */
  values: (number | null)[];
}

export interface Chart {
  title: string;
  unit: string;
  /** Of how many seconds each value is. */
  step: number;
  series: Series[];
  /** For values of several orders of magnitude; what is 0 is drawn at the bottom. */
  isLogarithmic?: boolean;
}

const WIDTH = 760;
const HEIGHT = 240;
const EDGE = { left: 52, right: 76, top: 12, bottom: 26 };
const INNER = { width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
/** Between two names of lines that end near each other. */
const NAME_HEIGHT = 13;

/** A number as short as it can be read. */
export function short(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** A time in milliseconds, with its unit. */
export function shortTime(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${short(ms)} ms`;
}

/** Round values from 0 up to the first that is not below the highest. */
export function linearTicks(highest: number): number[] {
  const rough = Math.max(highest, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  return Array.from({ length: Math.ceil(Math.max(highest, 1) / step) + 1 }, (_, i) =>
    Number((i * step).toPrecision(6)),
  );
}

/** Powers of ten around the values. */
export function logarithmicTicks(lowest: number, highest: number): number[] {
  const from = Math.floor(Math.log10(lowest));
  const to = Math.max(from + 1, Math.ceil(Math.log10(highest)));
  return Array.from({ length: to - from + 1 }, (_, i) => Number((10 ** (from + i)).toPrecision(6)));
}

export function lineChart({ title, unit, step, series, isLogarithmic }: Chart): string {
  const drawn = series.flatMap(({ values }) => values.filter((value) => value !== null && value > 0)) as number[];
  const highest = drawn.reduce((most, value) => Math.max(most, value), 0);
  const lowest = drawn.reduce((least, value) => Math.min(least, value), highest);
  const isLog = isLogarithmic === true && highest > 0;
  const ticks = isLog ? logarithmicTicks(lowest, highest) : linearTicks(highest);
  const [bottom, top] = [ticks[0]!, ticks.at(-1)!];
  const count = Math.max(...series.map(({ values }) => values.length));

  const x = (index: number) => EDGE.left + (INNER.width * index) / Math.max(1, count - 1);
  function y(value: number): number {
    const share = isLog ? Math.log10(Math.max(value, bottom) / bottom) / Math.log10(top / bottom) : value / top;
    return EDGE.top + INNER.height * (1 - share);
  }

  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}"/>` +
      `<text class="tick" x="${EDGE.left - 8}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick >= 10_000 ? `${tick / 1000}k` : short(tick)}</text>`,
  );
  const times = linearTicks((count - 1) * step)
    .filter((seconds) => seconds <= (count - 1) * step)
    .map(
      (seconds) =>
        `<text class="tick" x="${x(seconds / step).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${short(seconds)} s</text>`,
    );
  const lines = series.map(({ tone, values }) => `<path class="line ${tone}" d="${path(values, x, y)}"/>`);
  const names = placed(series, y).map(
    ({ name, tone, at }) =>
      `<text class="name ${tone}" x="${WIDTH - EDGE.right + 8}" y="${(at + 4).toFixed(1)}">${name}</text>`,
  );
  const width = INNER.width / Math.max(1, count - 1);
  const hints = Array.from({ length: count }, (_, index) => {
    const told = series.map(({ name, values }) => `${name} ${values[index] == null ? '–' : short(values[index])}`);
    return (
      `<rect class="hint" x="${(x(index) - width / 2).toFixed(1)}" y="${EDGE.top}" width="${width.toFixed(1)}" ` +
      `height="${INNER.height}"><title>${index * step} s: ${told.join(', ')}</title></rect>`
    );
  });
  return (
    `<figure><figcaption>${title} <span>${unit}</span></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">` +
    `${[...grid, ...times, ...lines, ...names, ...hints].join('')}</svg></figure>`
  );
}

/** A line with a gap where there is no value; a value on its own is a dot. */
function path(values: (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  return values
    .map((value, index) => {
      if (value === null) return '';
      const point = `${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      return values[index - 1] == null ? `M${point}l0 0` : `L${point}`;
    })
    .join('');
}

/** The names at the ends of their lines, moved apart where they would cover each other. */
function placed(series: Series[], y: (value: number) => number) {
  const names = series
    .map(({ name, tone, values }) => ({ name, tone, at: y(values.findLast((value) => value !== null) ?? 0) }))
    // Of those that end together, the first is the uppermost.
    .reverse()
    .sort((a, b) => b.at - a.at);
  for (const [index, name] of names.entries()) {
    const below = names[index - 1];
    if (below) name.at = Math.min(name.at, below.at - NAME_HEIGHT);
  }
  const above = EDGE.top - Math.min(...names.map(({ at }) => at));
  if (above > 0) for (const name of names) name.at += above;
  return names;
}

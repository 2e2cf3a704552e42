/**
 * What a process counts of its own work, for `/metrics`. Counting is an addition, so it may be done for every message;
 * text is made of it when somebody asks. A process has one set of measures, as it has one `/metrics`: whatever works under
 * the same name counts together.
 */

/** Bounds of durations, in seconds. */
export const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Bounds of waits, in seconds. */
export const WAITS = [0.001, 0.005, 0.02, 0.1, 0.5, 2];
/** Bounds of numbers of things that travel together. */
export const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500];

export interface Count {
  /** @param amount 1 by default; for a counter, not negative */
  add(amount?: number): void;
}

export interface Distribution {
  observe(value: number): void;
}

/** One value of a measure, as it stands. */
export interface Value {
  labels: Record<string, string>;
  value: number;
  /** What follows the measure's name, for the parts of a histogram. */
  suffix?: '_bucket' | '_sum' | '_count';
}

export interface Measure {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  read(): Value[];
}

const measures: Measure[] = [];

/** All measures of the modules that are loaded. */
export function allMeasures(): readonly Measure[] {
  return measures;
}

/**
 * Names a measure. Its labels' values must be few and none of a client's making: each set of them is kept for good.
 * @param create makes what is counted for a set of labels, the first time it is asked for
 * @param read what it stands at
 */
function measure<T>(
  { name, help, type, labels }: Omit<Measure, 'read'> & { labels: readonly string[] },
  create: () => T,
  read: (one: T, labels: Record<string, string>) => Value[],
): (...values: string[]) => T {
  const known = new Map<string, { labels: Record<string, string>; one: T }>();
  measures.push({ name, help, type, read: () => [...known.values()].flatMap(({ one, labels }) => read(one, labels)) });
  return (...values) => {
    const key = values.join('\n');
    const found = known.get(key);
    if (found) return found.one;
    const one = create();
    known.set(key, { labels: Object.fromEntries(labels.map((label, i) => [label, values[i]!])), one });
    return one;
  };
}

/** Values that are read only when they are asked for. */
export function readings(name: string, help: string, read: () => Value[]): void {
  measures.push({ name, help, type: 'gauge', read });
}

function createCount(): Count & { value: number } {
  return {
    value: 0,
    add(amount = 1) {
      this.value += amount;
    },
  };
}

const readCount = ({ value }: { value: number }, labels: Record<string, string>): Value[] => [{ labels, value }];

/** A measure that only grows. @param name ends with `_total` */
export function counters(name: string, help: string, labels: readonly string[] = []): (...values: string[]) => Count {
  return measure({ name, help, type: 'counter', labels }, createCount, readCount);
}

/** A measure that grows and shrinks. */
export function gauges(name: string, help: string, labels: readonly string[] = []): (...values: string[]) => Count {
  return measure({ name, help, type: 'gauge', labels }, createCount, readCount);
}

/** How values are distributed. @param bounds upper ones, included, ascending */
export function histograms(
  name: string,
  help: string,
  labels: readonly string[],
  bounds: readonly number[],
): (...values: string[]) => Distribution {
  function create() {
    const counts = new Array<number>(bounds.length + 1).fill(0);
    const distribution = {
      counts,
      sum: 0,
      observe(value: number) {
        let at = 0;
        while (at < bounds.length && value > bounds[at]!) at++;
        counts[at]!++;
        distribution.sum += value;
      },
    };
    return distribution;
  }
  function read({ counts, sum }: ReturnType<typeof create>, own: Record<string, string>): Value[] {
    let count = 0;
    const buckets = counts.map((those, i): Value => {
      count += those;
      return {
        labels: { ...own, le: i < bounds.length ? String(bounds[i]) : '+Inf' },
        value: count,
        suffix: '_bucket',
      };
    });
    return [...buckets, { labels: own, value: sum, suffix: '_sum' }, { labels: own, value: count, suffix: '_count' }];
  }
  return measure({ name, help, type: 'histogram', labels }, create, read);
}

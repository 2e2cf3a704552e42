/** Shows what a process measures of its own work (`lib/measures.ts`). */
import type { Metric, Registry } from 'prom-client';
import { allMeasures, type Measure } from '../lib/measures.ts';

/** Registers all measures of the modules that are loaded. */
export function registerMeasures(registry: Registry): void {
  for (const measure of allMeasures()) registry.registerMetric(shown(measure));
}

/** What a registry asks of a metric; a metric of prom-client cannot take over what was counted elsewhere. */
function shown({ name, help, type, read }: Measure): Metric {
  const get = async () => ({
    ...{ name, help, type, aggregator: 'sum' },
    values: read().map(({ labels, value, suffix = '' }) => ({ metricName: `${name}${suffix}`, labels, value })),
  });
  return { name, get } as unknown as Metric;
}

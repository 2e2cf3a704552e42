/** The metrics that `/metrics` serves in Prometheus text format. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { withDeadline } from '../lib/deadline.ts';
import { registerMeasures } from './measured.ts';

/** The longest that a scrape waits for the store, in milliseconds. */
const STORE_MS = 1000;
/** How often the delay of the event loop is measured, in milliseconds. */
const DELAY_EVERY_MS = 50;
const DAY_MS = 86_400_000;

export interface Metrics {
  registry: Registry;
  /**
   * Counts a command.
   * @param outcome `ok` or the error's code
   * @param startedAt by `performance.now()`
   */
  commandDone(command: string, outcome: string, startedAt: number): void;
}

export interface MetricSources {
  /** How many sockets are connected to this node. */
  connections(): number;
  /** Bytes free on the disk that uploads pass through. */
  freeBytes(): number;
  /** What became of pushes since the start. */
  pushes(): { provider: string; outcome: string; count: number }[];
  /** How many pushes wait, and since when the oldest does. */
  waitingPushes(): Promise<{ count: number; since: Date | undefined }>;
  /** Since when the job that is due first, on all nodes, is due. */
  oldestDueJob(): Promise<Date | undefined>;
  /** Whether commands are shed. */
  isOverloaded(): boolean;
  /** Whether MongoDB answers. */
  mongodbIsUp(): Promise<boolean>;
  /** Absent without Redis. */
  redisIsUp?: (() => boolean) | undefined;
  clock(): Date;
}

export function createMetrics(sources: MetricSources): Metrics {
  const { connections, freeBytes, isOverloaded } = sources;
  const registry = new Registry();
  // Its own measure of the event loop would wake an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: DAY_MS });
  for (const name of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    registry.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`);
  }

  new Gauge({
    name: 'letsapp_connections',
    help: 'Sockets connected to this node',
    registers: [registry],
    collect() {
      this.set(connections());
    },
  });
  new Gauge({
    name: 'letsapp_disk_free_bytes',
    help: 'Free bytes on the disk of DATA_DIR',
    registers: [registry],
    collect() {
      this.set(freeBytes());
    },
  });
  new Gauge({
    name: 'letsapp_overloaded',
    help: 'Whether this node sheds commands of typing and presence because its event loop is behind',
    registers: [registry],
    collect() {
      this.set(isOverloaded() ? 1 : 0);
    },
  });
  registerPushMetrics(registry, sources);
  registerJobMetrics(registry, sources);
  registerMeasures(registry);
  const commands = new Histogram({
    name: 'letsapp_command_duration_seconds',
    help: 'Time from a command to its acknowledgement, by command and outcome',
    labelNames: ['command', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  const outcomes = new Counter({
    name: 'letsapp_commands_total',
    help: 'Commands by outcome',
    labelNames: ['command', 'outcome'],
    registers: [registry],
  });
  registerStores(registry, sources);
  const delay = monitorEventLoopDelay({ resolution: DELAY_EVERY_MS });
  delay.enable();
  new Gauge({
    name: 'letsapp_event_loop_delay_p99_seconds',
    help: '99th percentile of the event-loop delay since the last scrape',
    registers: [registry],
    collect() {
      // It tells the time from one measure to the next.
      this.set(Math.max(0, delay.percentile(99) / 1e9 - DELAY_EVERY_MS / 1000));
      delay.reset();
    },
  });

  return {
    registry,
    commandDone(command, outcome, startedAt) {
      commands.observe({ command, outcome }, (performance.now() - startedAt) / 1000);
      outcomes.inc({ command, outcome });
    },
  };
}

function registerStores(registry: Registry, { mongodbIsUp, redisIsUp }: MetricSources): void {
  new Gauge({
    name: 'letsapp_store_up',
    help: 'Whether a store answers',
    labelNames: ['store'],
    registers: [registry],
    async collect() {
      const mongodb = await withDeadline(mongodbIsUp(), STORE_MS).catch(() => false);
      this.set({ store: 'mongodb' }, mongodb ? 1 : 0);
      if (redisIsUp) this.set({ store: 'redis' }, redisIsUp() ? 1 : 0);
    },
  });
}

function registerPushMetrics(registry: Registry, { pushes, waitingPushes, clock }: MetricSources): void {
  new Counter({
    name: 'letsapp_push_total',
    help: 'Pushes by provider and outcome',
    labelNames: ['provider', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { provider, outcome, count } of pushes()) this.inc({ provider, outcome }, count);
    },
  });
  const age = new Gauge({
    name: 'letsapp_push_oldest_waiting_seconds',
    help: 'Since when the oldest push waits, on all nodes',
    registers: [registry],
  });
  new Gauge({
    name: 'letsapp_push_waiting',
    help: 'Pushes that wait, on all nodes',
    registers: [registry],
    async collect() {
      // Without the store the last numbers stand: a scrape waits for no primary.
      const found = await withDeadline(waitingPushes(), STORE_MS).catch(() => undefined);
      if (!found) return;
      this.set(found.count);
      const waitedMs = found.since ? clock().getTime() - found.since.getTime() : 0;
      age.set(Math.max(0, waitedMs) / 1000);
    },
  });
}

function registerJobMetrics(registry: Registry, { oldestDueJob, clock }: MetricSources): void {
  new Gauge({
    name: 'letsapp_job_oldest_due_seconds',
    help: 'Since when the oldest job is due, on all nodes',
    registers: [registry],
    async collect() {
      const found = await withDeadline(oldestDueJob(), STORE_MS).catch(() => null);
      if (found === null) return;
      this.set(found ? Math.max(0, clock().getTime() - found.getTime()) / 1000 : 0);
    },
  });
}

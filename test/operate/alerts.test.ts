import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { killAtExit } from '../support/program.ts';
import { freePort, startRedis } from '../support/redis.ts';
import { sharedServer } from '../support/server.ts';
import { startProcessForTest } from '../support/server-process.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../docs/operate');
const read = (name: string) => readFileSync(path.join(FOLDER, name), 'utf8');
const promtool = (...args: string[]) => execFileSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' });

/** Until Prometheus has started, scraped and looked at its rules, on a busy machine. */
const PATIENCE = { timeout: 25_000, interval: 250 };

interface Rules {
  groups: { name: string; rules: { alert: string; expr: string; for?: string }[] }[];
}
const alerts = parse(read('alerts.yml')) as Rules;
const named = alerts.groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(read('dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};

/** The metrics that an expression asks for. */
const metricsIn = (expr: string) => expr.match(/\b(letsapp|process)_[a-z\d_]+/g) ?? [];

describe('the alerts', () => {
  it('are valid, and fire when they should and only then', () => {
    expect(promtool('check', 'rules', 'alerts.yml')).toContain(`SUCCESS: ${named.length} rules found`);
    expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
    for (const { alert } of named) expect(read('alerts.test.yml')).toContain(`alertname: ${alert}`);
  });

  it('and the dashboard ask for metrics that a server has', async () => {
    const server = await sharedServer();
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const served = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
    const asked = [...named, ...dashboard.panels.flatMap(({ targets }) => targets)].flatMap(({ expr }) =>
      metricsIn(expr),
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.map((name) => name.replace(/_(bucket|sum|count)$/, '')).filter((name) => !served.has(name))).toEqual(
      [],
    );
  });

  it('of a store fires in Prometheus when Redis is killed', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const server = await startProcessForTest({ env: { REDIS_URL: redis.url } });
    const prometheus = await startPrometheus(new URL(server.url).host);
    await expect.poll(() => prometheus.value('letsapp_store_up{store="redis"}'), PATIENCE).toBe('1');
    expect(await prometheus.firing()).toEqual([]);
    await redis.kill();
    await expect.poll(prometheus.firing, PATIENCE).toEqual(['LetsAppStoreDown redis']);
  });
});

/** A Prometheus with the alerts, which does not wait before it fires. */
async function startPrometheus(target: string) {
  const folder = mkdtempSync(path.join(tmpdir(), 'letsapp-prometheus-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  const { groups } = structuredClone(alerts);
  for (const { rules } of groups) for (const rule of rules) rule.for = '0s';
  const config = path.join(folder, 'prometheus.yml');
  writeFileSync(path.join(folder, 'alerts.yml'), stringify({ groups }));
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yml'],
      scrape_configs: [{ job_name: 'letsapp', static_configs: [{ targets: [target] }] }],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const data = `--storage.tsdb.path=${path.join(folder, 'data')}`;
  const args = [`--config.file=${config}`, data, `--web.listen-address=${address}`, '--log.level=error'];
  const child = spawn('prometheus', args, { stdio: 'ignore' });
  killAtExit(child);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  /** The data of an answer; nothing while Prometheus starts. */
  async function ask<T>(route: string): Promise<T | undefined> {
    const answer = await fetch(`http://${address}/api/v1/${route}`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as { data: T }).data : undefined;
  }
  return {
    async value(query: string) {
      const data = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(query)}`);
      return data?.result[0]?.value[1];
    },
    /** Those of a store: on a busy machine others fire rightly. */
    async firing() {
      const data = await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>('alerts');
      const firing = data?.alerts.filter(({ state, labels }) => state === 'firing' && labels.store !== undefined);
      return firing?.map(({ labels }) => `${labels.alertname} ${labels.store}`);
    },
  };
}

it('the unit of systemd keeps to the rules that the containers keep to', () => {
  const unit = read('letsapp.service');
  for (const line of ['DynamicUser=yes', 'NoNewPrivileges=yes', 'CapabilityBoundingSet=', 'ProtectSystem=strict']) {
    expect(unit).toMatch(new RegExp(`^${line}$`, 'm'));
  }
  // Longer than a drain takes, in seconds.
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10);
});

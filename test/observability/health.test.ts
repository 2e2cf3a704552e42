import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, http, register } from '../support/client.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';

let database: EmbeddedDatabase;
let server: ServerProcess;
let device: Device;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  server = await startServerProcess({ env: { MONGODB_URL: database.url } });
  device = await connect(server.url, await register(server.url));
});

afterAll(async () => {
  device?.close();
  await server?.kill();
  await database?.stop();
});

const metrics = async () => (await fetch(`${server.url}/metrics`)).text();

describe('/healthz, /readyz and /metrics', () => {
  it('report a process that lives and serves', async () => {
    expect((await http(server.url, 'GET', '/healthz')).status).toBe(200);
    const ready = await http(server.url, 'GET', '/readyz');
    expect(ready.status).toBe(200);
    expect(ready.json).toMatchObject({ status: 'ok', mongodb: true });
  });

  it('count connections, commands by outcome, and the event loop', async () => {
    const peer = await register(server.url);
    await device.ok('message:send', { recipient_id: peer.id, content: 'counted' });
    await device.refused('message:send', { recipient_id: 'f'.repeat(24), content: 'refused' });
    await device.refused('no:such:command');
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toMatch(/^letsapp_connections 1$/m);
    expect(text).toMatch(/^letsapp_commands_total\{command="message:send",outcome="ok"\} 1$/m);
    expect(text).toMatch(/^letsapp_commands_total\{command="message:send",outcome="not_found"\} 1$/m);
    expect(text).toMatch(/^letsapp_commands_total\{command="unknown",outcome="not_found"\} 1$/m);
    expect(text).toMatch(/^letsapp_command_duration_seconds_bucket\{.*command="message:send".*\} \d+$/m);
    expect(text).toMatch(/^letsapp_event_loop_delay_p99_seconds [\d.e-]+$/m);
    expect(text).toMatch(/^letsapp_store_up\{store="mongodb"\} 1$/m);
    expect(text).not.toContain('counted');
  });

  it('do not let clients invent labels', async () => {
    for (let i = 0; i < 20; i++) await device.refused(`made:up:${i}`);
    expect(await metrics()).not.toContain('made:up');
  });

  it('tell of the store by command, of batches, queues, caches, delivery and what is late', async () => {
    const text = await metrics();
    expect(text).toMatch(/^# TYPE letsapp_store_command_duration_seconds histogram$/m);
    expect(text).toMatch(/^letsapp_store_command_duration_seconds_bucket\{command="insert",le="\+Inf"\} [1-9]/m);
    // What the driver asks by itself, each second, is not counted.
    expect(text).not.toMatch(/command="hello"/);
    expect(text).toMatch(/^letsapp_batch_size_count\{batch="messages"\} [1-9]/m);
    expect(text).toMatch(/^letsapp_batch_wait_seconds_count\{batch="summaries"\} [1-9]/m);
    // Nothing is under way now.
    expect(text).toMatch(/^letsapp_queue_length\{queue="messages"\} 0$/m);
    expect(text).toMatch(/^letsapp_cache_requests_total\{cache="newest messages",result="miss"\} [1-9]/m);
    expect(text).toMatch(/^letsapp_cache_entries\{cache="newest messages"\} 1$/m);
    expect(text).toMatch(/^letsapp_delivery_lag_seconds_count 1$/m);
    expect(text).toMatch(/^letsapp_(job_oldest_due|webhook_oldest_waiting)_seconds [\d.e-]+$/m);
    expect(text).toMatch(/^letsapp_overloaded 0$/m);
  });

  it('report that the database is gone while the process lives on', async () => {
    await database.kill();
    await expect
      .poll(async () => (await http(server.url, 'GET', '/readyz')).json, { timeout: 30_000 })
      .toMatchObject({ status: 'unavailable', mongodb: false });
    const ready = await http(server.url, 'GET', '/readyz');
    expect([ready.status, ready.json.error.code]).toEqual([503, 'unavailable']);
    expect((await http(server.url, 'GET', '/healthz')).status).toBe(200);
    expect(device.socket.connected).toBe(true);
    expect(await metrics()).toMatch(/^letsapp_store_up\{store="mongodb"\} 0$/m);
  });
});

it('with METRICS_TOKEN, /metrics asks for it as bearer, and the health of the server for nothing', async () => {
  const guarded = await startProcessForTest({ env: { METRICS_TOKEN: 'scrape-4711', RATE_LIMITS: 'on' } });
  const { access_token } = await register(guarded.url);
  const ask = (authorization?: string) =>
    http(guarded.url, 'GET', '/metrics', { headers: authorization === undefined ? {} : { authorization } });
  for (const wrong of [undefined, 'Bearer', 'Bearer scrape-4712', `Bearer ${access_token}`, 'Basic scrape-4711']) {
    const { status, json, headers } = await ask(wrong);
    expect([wrong, status, json?.error.code]).toEqual([wrong, 401, 'unauthenticated']);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  }
  expect((await ask('Bearer scrape-4711')).status).toBe(200);
  for (const route of ['/healthz', '/readyz']) expect((await http(guarded.url, 'GET', route)).status).toBe(200);

  // What budgets refuse is counted by their names.
  const forgot = () => http(guarded.url, 'POST', '/auth/password/forgot', { body: { email: 'nobody@example.org' } });
  for (let i = 0; i < 6; i++) await forgot();
  const counted = await fetch(`${guarded.url}/metrics`, { headers: { authorization: 'Bearer scrape-4711' } });
  expect(await counted.text()).toMatch(/^letsapp_budget_refusals_total\{budget="\w+"\} 1$/m);
});

import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startTracing } from '../../server/observability/tracing.ts';
import { connect, connectPair, type Device, register, registerMany, settle } from '../support/client.ts';
import { CLUSTER_SECRET, type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';

let receiver: OtlpReceiver;
let cluster: Cluster<ServerProcess>;
let one: string;
let two: string;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  cluster = await startCluster(
    2,
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=the%20key',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
    startServerProcess,
  );
  [one, two] = cluster.urls as [string, string];
});
afterAll(async () => {
  await cluster.stop();
  await receiver.close();
});

const traceOf = ({ traceId }: ReceivedSpan) => receiver.spans.filter((span) => span.traceId === traceId);
const namedIn = (spans: ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

/** The spans of commands that came since `receiver.spans` had so many. */
async function commandsSince(known: number, name: string, count: number): Promise<ReceivedSpan[]> {
  const found = () => namedIn(receiver.spans.slice(known), name);
  await eventually(() => expect(found().length).toBeGreaterThanOrEqual(count));
  return found();
}

/** Sends from one node to somebody on the other, and returns the trace once it has what is named. */
async function traceOfSend(from: Device, to: Device, content: string): Promise<ReceivedSpan[]> {
  const known = receiver.spans.length;
  const { message } = await from.ok('message:send', { recipient_id: to.id, content });
  await to.next('message:new', ({ message: { _id } }) => _id === message._id);
  const [root] = await commandsSince(known, 'message:send', 1);
  await eventually(() => expect(namedIn(traceOf(root!), 'deliver changes')).toHaveLength(2));
  return traceOf(root!);
}

describe('a message', () => {
  it('is one trace, from the command over the store and the bus to its delivery on the other node', async () => {
    const [a, b] = await connectPair(one, two);
    const trace = await traceOfSend(a, b, 'hello');
    const [root] = namedIn(trace, 'message:send');
    expect([root!.parentSpanId, root!.attributes]).toEqual([undefined, { 'letsapp.outcome': 'ok' }]);
    const [stored] = namedIn(trace, 'insert messages');
    expect(stored!.attributes).toMatchObject({ 'db.system.name': 'mongodb', 'db.operation.name': 'insert' });
    const [published] = namedIn(trace, 'publish changes');
    const [here, there] = ['deliver changes', 'deliver changes'].map((name, i) =>
      namedIn(trace, name).find(({ instance }) => (instance === root!.instance) === (i === 0)),
    );
    expect(here!.instance).toBe(root!.instance);
    expect(there!.parentSpanId).toBe(published!.spanId);
    const ids = trace.map(({ spanId }) => spanId);
    for (const span of trace) if (span !== root) expect(ids, span.name).toContain(span.parentSpanId);
    expect(receiver.headers()).toMatchObject({ 'api-key': 'the key' });
  });

  it('tells neither what it says nor who it is from', async () => {
    const [a, b] = await connectPair(one, two);
    await traceOfSend(a, b, 'nobody else is to know');
    await a.refused('no:such:command', { content: 'nor this' });
    await commandsSince(0, 'unknown', 1);
    const text = JSON.stringify(receiver.spans);
    for (const { account, id } of [a, b]) {
      for (const secret of [id, account.username, account.access_token]) expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/nobody else|nor this|no:such:command/);
  });
});

it('messages that are stored together have a trace each, with a link from what they share', async () => {
  const accounts = await registerMany(one, 4);
  const devices = await Promise.all(accounts.map((account) => connect(one, account)));
  const member_ids = devices.slice(1).map(({ id }) => id);
  const { group } = await devices[0]!.ok('group:create', { name: 'all', member_ids });
  await Promise.all(devices.slice(1).map((device) => device.next('group:updated')));
  const known = receiver.spans.length;
  const sends = Array.from({ length: 40 }, (_, i) =>
    devices[i % devices.length]!.ok('message:send', { group_id: group._id, content: String(i) }),
  );
  await Promise.all(sends);
  const roots = await commandsSince(known, 'message:send', sends.length);
  expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(sends.length);
  const isStored = ({ traceId }: ReceivedSpan) =>
    receiver.spans.some(
      ({ name, links, ...span }) =>
        (name === 'insert group_messages' && span.traceId === traceId) ||
        links.some((link) => link.traceId === traceId),
    );
  await eventually(() => expect(roots.every(isStored)).toBe(true));
  expect(receiver.spans.some(({ name, links }) => name === 'batch' && links.length > 0)).toBe(true);
});

it('a node that traces and one that does not hear each other', async () => {
  const plain = await startProcessForTest({
    env: { MONGODB_URL: cluster.database.url, REDIS_URL: cluster.redis.url, JWT_SECRET: CLUSTER_SECRET },
  });
  const [a, b] = await connectPair(one, plain.url);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const { message } = await from.ok('message:send', { recipient_id: to.id, content: 'hello' });
    await to.next('message:new', ({ message: { _id } }) => _id === message._id);
  }
});

it('whoever does not take traces holds nobody up, and is told of once', async () => {
  const account = await register(one);
  const device = await connect(one, account);
  const about = () => cluster.nodes[0]!.output().match(/traces .*/g) ?? [];
  receiver.answer(500);
  await settle(device);
  await eventually(() => expect(about()).toEqual([expect.stringContaining('cannot be sent')]));
  await settle(device);
  receiver.answer(200);
  await eventually(async () => {
    await settle(device);
    expect(about()).toEqual([expect.stringContaining('cannot be sent'), expect.stringContaining('sent again')]);
  });
});

describe('a process', () => {
  const PLACE = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

  it('sends what it has when it ends', async () => {
    const tracing = startTracing({ url: `${receiver.url}/v1/traces`, headers: {} }, pino({ level: 'silent' }));
    await tracing.command('sync', async () => ({ ok: false, error: { code: 'unavailable', message: '' } }));
    await tracing.close();
    const { instance, ...span } = receiver.spans.at(-1)!;
    expect(span).toMatchObject({ name: 'sync', attributes: { 'letsapp.outcome': 'unavailable' }, status: { code: 2 } });
  });

  it('ends the trace of a command for what goes on long after it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const tracing = startTracing({ url: `${receiver.url}/v1/traces`, headers: {} }, pino({ level: 'silent' }));
    const published: (string | undefined)[] = [];
    await tracing.command('sync', async () => {
      published.push(tracing.publication('changes'));
      vi.advanceTimersByTime(10_001);
      published.push(tracing.publication('changes'));
      return { ok: true, data: {} };
    });
    expect(published).toEqual([expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-01$/), undefined]);
    await tracing.close();
  });

  it('tells other nodes nothing of a trace that the sampler has not chosen', async () => {
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_off');
    onTestFinished(() => void vi.unstubAllEnvs());
    const tracing = startTracing({ url: `${receiver.url}/v1/traces`, headers: {} }, pino({ level: 'silent' }));
    let told: string | undefined = 'something';
    await tracing.command('sync', async () => {
      told = tracing.publication('changes');
      return { ok: true, data: {} };
    });
    expect(told).toBeUndefined();
    await tracing.close();
  });

  it.each([
    [undefined, false],
    [7, false],
    [{ traceparent: PLACE }, false],
    ['', false],
    [`${PLACE}-${'x'.repeat(1000)}`, false],
    [PLACE.replace('00-', 'ff-'), false],
    [PLACE.replaceAll('1', '0'), false],
    [PLACE.replaceAll('2', 'g'), false],
    [PLACE, true],
  ])('told %o by another node goes on with it: %s', async (told, goesOn) => {
    const tracing = startTracing({ url: `${receiver.url}/v1/traces`, headers: {} }, pino({ level: 'silent' }));
    let origin: unknown;
    tracing.reception(told, () => {
      origin = tracing.origin();
    });
    expect(origin !== undefined).toBe(goesOn);
    await tracing.close();
  });
});

/** Calls between real browsers, through `letsapp-client/calls` alone. */
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type Account, registerMany } from '../support/client.ts';
import { sampleOf } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Browsers that encode video in software are slow. No test may depend on how slow. */
const PATIENT = { timeout: 90_000, interval: 200 };
const TEST_MS = 400_000;

/** What a page shows of its call. */
interface Look {
  frames: Record<string, number>;
  ringing: string[];
  current?: string;
  local: string[];
}

const PAGE = `
import { connect } from './shared/client/index.ts';
import { createCalls } from './shared/client/calls/index.ts';
/** A client whose answer to \`call:accept\` comes after the first signal, and to which no other signal comes. */
function answeredLate(client) {
  const signalled = new Promise((resolve) => client.on('call:signal', resolve));
  let isAnswered = false;
  async function call(name, payload) {
    const answer = await client.call(name, payload);
    if (name === 'call:accept') {
      await signalled;
      isAnswered = true;
    }
    return answer;
  }
  const on = (event, listener) =>
    client.on(event, event === 'call:signal' ? (signal) => isAnswered || listener(signal) : listener);
  return new Proxy(client, { get: (of, key) => ({ call, on })[key] ?? of[key] });
}
window.start = (token, isLate) => {
  const client = connect({ url: location.origin, getToken: () => token });
  const calls = createCalls(isLate ? answeredLate(client) : client);
  const videos = new Map();
  const show = () => {
    for (const [id, stream] of calls.remoteStreams.get()) {
      const video = videos.get(id) ?? Object.assign(document.createElement('video'), { autoplay: true, muted: true });
      if (video.srcObject !== stream) video.srcObject = stream;
      videos.set(id, video);
    }
    for (const id of videos.keys()) if (!calls.remoteStreams.get().has(id)) videos.delete(id);
  };
  calls.remoteStreams.subscribe(show);
  Object.assign(window, { client, calls });
  window.look = () => ({
    frames: Object.fromEntries([...videos].map(([id, video]) => [id, video.getVideoPlaybackQuality().totalVideoFrames])),
    ringing: client.calls.get().filter(({ caller_id }) => caller_id !== client.me.get()?._id).map(({ _id }) => _id),
    current: calls.current.get()?.status,
    local: (calls.localStream.get()?.getTracks() ?? []).map(({ kind, enabled }) => kind + (enabled ? '' : ' off')).sort(),
  });
};`;

let server: TestServer;
let browser: Browser;
let script: string;
beforeAll(async () => {
  const stdin = { contents: PAGE, resolveDir: `${import.meta.dirname}/../..`, loader: 'ts' as const };
  const [started, chromium, built] = await Promise.all([
    startServer({ env: { CALL_RING_TIMEOUT_MS: '600000', CALL_RECONNECT_GRACE_MS: '600000' } }),
    startChromium(),
    build({ stdin, bundle: true, format: 'iife', write: false }),
  ]);
  server = started;
  browser = chromium;
  script = built.outputFiles[0]!.text;
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(account: Account, isLate = false): Promise<Page> {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${server.url}/healthz`);
  await page.addScriptTag({ content: script });
  await page.evaluate(`start(${JSON.stringify(account.access_token)}, ${isLate})`);
  await expect.poll(() => page.evaluate('client.state'), PATIENT).toBe('ready');
  return page;
}
const look = (page: Page) => page.evaluate('look()') as Promise<Look>;

async function seesMovingFrames(page: Page, ids: string[]): Promise<void> {
  let before: Record<string, number> | undefined;
  await expect
    .poll(async () => {
      const { frames } = await look(page);
      if (ids.some((id) => !frames[id])) return false;
      before ??= frames;
      return Object.keys(frames).length === ids.length && ids.every((id) => frames[id]! > (before![id] ?? 0) + 5);
    }, PATIENT)
    .toBe(true);
}

/** The connection to the server is lost, and there again. */
async function interrupt(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await page.evaluate("dispatchEvent(new Event('offline'))");
  await expect.poll(() => page.evaluate('client.state'), PATIENT).toBe('offline');
  await page.context().setOffline(false);
  await page.evaluate("dispatchEvent(new Event('online'))");
  await expect.poll(() => page.evaluate('client.state'), PATIENT).toBe('ready');
}

it(
  'two see each other, lose the connection to the server, find each other on other ways, and hang up',
  async () => {
    const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
    const [ann, ben] = await Promise.all([open(a), open(b)]);
    await ann.evaluate(`calls.start({ recipient_id: '${b.id}' }, 'video')`);
    await expect.poll(async () => (await look(ben)).ringing.length, PATIENT).toBe(1);
    expect(await look(ann)).toMatchObject({ local: ['audio', 'video'] });
    await ben.evaluate('calls.accept(look().ringing[0])');
    await Promise.all([seesMovingFrames(ann, [b.id]), seesMovingFrames(ben, [a.id])]);
    await ann.evaluate('calls.mute()');
    await ann.evaluate('calls.camera(false)');
    expect(await look(ann)).toMatchObject({ local: ['audio off', 'video off'] });
    await ann.evaluate('calls.camera()');
    // The seat is kept while the connection is lost; afterwards ICE begins anew.
    await interrupt(ann);
    await Promise.all([seesMovingFrames(ann, [b.id]), seesMovingFrames(ben, [a.id])]);
    await ben.evaluate('calls.end(calls.current.get()._id)');
    for (const page of [ann, ben]) {
      await expect.poll(() => look(page), PATIENT).toEqual({ frames: {}, ringing: [], local: [] });
    }
    await Promise.all([ann, ben].map((page) => page.context().close()));
  },
  TEST_MS,
);

it(
  'a caller who presses twice, and loses the connection while it rings, is in one call with who answers',
  async () => {
    const [a, b, c] = (await registerMany(server.url, 3)) as [Account, Account, Account];
    const [ann, ben] = await Promise.all([open(a), open(b)]);
    const codes = (ids: string[]) =>
      ann.evaluate(`Promise.all(${JSON.stringify(ids)}.map((recipient_id) =>
        calls.start({ recipient_id }, 'voice').then(() => 'begun', ({ code }) => code)))`);
    expect(await codes([b.id, b.id])).toEqual(['begun', 'busy']);
    expect(await codes([c.id])).toEqual(['busy']);
    await expect.poll(() => look(ann), PATIENT).toMatchObject({ current: 'ringing', local: ['audio'] });
    await interrupt(ann);
    await ben.evaluate('calls.accept(look().ringing[0])');
    for (const page of [ann, ben]) {
      await expect.poll(() => page.evaluate('calls.remoteStreams.get().size'), PATIENT).toBe(1);
    }
    await ann.evaluate('calls.end(calls.current.get()._id)');
    await Promise.all([ann, ben].map((page) => page.context().close()));
  },
  TEST_MS,
);

it(
  'signals that come before the seat is confirmed are not lost',
  async () => {
    const accounts = await registerMany(server.url, 2);
    // Of two connections that begin at once, the one of the greater id offers.
    const [b, a] = accounts.sort((one, other) => (one.id < other.id ? -1 : 1)) as [Account, Account];
    const [ann, ben] = await Promise.all([open(a), open(b, true)]);
    await ann.evaluate(`calls.start({ recipient_id: '${b.id}' }, 'voice')`);
    await expect.poll(async () => (await look(ben)).ringing.length, PATIENT).toBe(1);
    await ben.evaluate('calls.accept(look().ringing[0])');
    for (const page of [ann, ben]) {
      await expect.poll(() => page.evaluate('calls.remoteStreams.get().size'), PATIENT).toBe(1);
    }
    await Promise.all([ann, ben].map((page) => page.context().close()));
  },
  TEST_MS,
);

it(
  'a page that is loaded anew joins again, and is seen again',
  async () => {
    const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
    const [ann, ben] = await Promise.all([open(a), open(b)]);
    await ann.evaluate(`calls.start({ recipient_id: '${b.id}' }, 'video')`);
    await expect.poll(async () => (await look(ben)).ringing.length, PATIENT).toBe(1);
    await ben.evaluate('calls.accept(look().ringing[0])');
    await seesMovingFrames(ben, [a.id]);
    await ann.context().close();
    const again = await open(a);
    await expect.poll(() => again.evaluate('client.calls.get().length'), PATIENT).toBe(1);
    await again.evaluate('calls.join(client.calls.get()[0]._id)');
    await Promise.all([seesMovingFrames(again, [b.id]), seesMovingFrames(ben, [a.id])]);
    await again.evaluate('calls.end(calls.current.get()._id)');
    await Promise.all([again, ben].map((page) => page.context().close()));
  },
  TEST_MS,
);

it(
  'the sample of the guide calls, shares the screen, and hangs up',
  async () => {
    const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
    const [ann, ben] = await Promise.all([open(a), open(b)]);
    const sample = sampleOf('shared/client/README.md', 'createCalls', { '0123456789abcdef01234567': b.id });
    const [importing, ...doing] = sample.split('\n');
    const { outputFiles } = await build({
      // Browsers share a screen for somebody who clicks. A click on the body would be two: it shows JSON with a switch.
      stdin: {
        contents: `${importing}
          const button = document.body.appendChild(document.createElement('button'));
          button.onclick = async () => { ${doing.join('\n')} window.isDone = true; };`,
        resolveDir: `${import.meta.dirname}/../..`,
      },
      alias: { 'letsapp-client': `${import.meta.dirname}/../../shared/client` },
      bundle: true,
      format: 'iife',
      write: false,
    });
    await ann.addScriptTag({ content: outputFiles[0]!.text });
    await ann.click('button');
    await expect.poll(() => ann.evaluate('window.isDone === true'), PATIENT).toBe(true);
    const { calls } = (await ben.evaluate("client.call('call:history')")) as { calls: object[] };
    expect(calls).toMatchObject([{ caller_id: a.id, call_type: 'video', status: 'missed' }]);
    await Promise.all([ann, ben].map((page) => page.context().close()));
  },
  TEST_MS,
);

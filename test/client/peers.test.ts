/** Connections of a call between two sides in one browser, over a wire that loses what the test says. */
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';

const PATIENT = { timeout: 90_000, interval: 200 };

const PAGE = `
import { createPeer } from './shared/client/calls/peer.ts';
/** Both sides begin at the same moment. loses: whether the nth signal of its kind is lost on its way */
window.connect = async (loses) => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const sides = {};
  const told = [];
  for (const [side, other] of [['polite', 'impolite'], ['impolite', 'polite']]) {
    let inOrder = Promise.resolve();
    const send = (signal) => {
      const kind = signal.description?.type ?? 'candidate';
      const before = told.filter((one) => one.endsWith(kind)).length;
      told.push(side + ' ' + kind);
      if (!loses(kind, before)) inOrder = inOrder.then(() => sides[other].receive(signal)).catch(() => {});
    };
    sides[side] = createPeer({ iceServers: [], isPolite: side === 'polite', stream, send, onStream() {} });
    sides[side].connection.addEventListener('icecandidate', ({ candidate }) => candidate ?? told.push(side + ' all'));
  }
  window.look = () => ({
    isConnected: Object.values(sides).every(({ connection }) => connection.connectionState === 'connected'),
    signals: told,
  });
};`;

let browser: Browser;
let page: Page;
beforeAll(async () => {
  const stdin = { contents: PAGE, resolveDir: `${import.meta.dirname}/../..`, loader: 'ts' as const };
  const [chromium, script] = await Promise.all([
    startChromium(),
    build({ stdin, bundle: true, format: 'iife', write: false }),
  ]);
  browser = chromium;
  page = await browser.newPage();
  // Only pages of a safe origin get a microphone.
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<title>Call</title>' }));
  await page.goto('https://localhost/');
  // Nothing waits here for time to pass.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.addScriptTag({ content: script.outputFiles[0]!.text });
});
afterAll(() => browser?.close());

const isConnected = () => page.evaluate('look().isConnected');
const signals = () => page.evaluate('look().signals') as Promise<string[]>;
const offers = async () => (await signals()).filter((signal) => signal.endsWith('offer'));

it('of two that begin at once only the impolite one offers', async () => {
  await page.evaluate('connect(() => false)');
  await expect.poll(isConnected, PATIENT).toBe(true);
  expect(await offers()).toEqual(['impolite offer']);
});

it('an offer that was lost is said again once the polite one has waited for it, and offers', async () => {
  await page.evaluate("connect((kind, before) => kind === 'offer' && before === 0)");
  await expect.poll(offers, PATIENT).toEqual(['impolite offer']);
  await page.clock.runFor(1000);
  await expect.poll(isConnected, PATIENT).toBe(true);
  expect(await offers()).toEqual(['impolite offer', 'polite offer', 'impolite offer']);
});

it('an offer whose answer was lost is said again', async () => {
  await page.evaluate("connect((kind, before) => kind === 'answer' && before === 0)");
  await expect.poll(signals, PATIENT).toContain('polite answer');
  await page.clock.runFor(8000);
  await expect.poll(isConnected, PATIENT).toBe(true);
  expect(await offers()).toEqual(['impolite offer', 'impolite offer']);
});

it('where no candidate has arrived both are looked for anew', async () => {
  await page.evaluate("window.isCut = true; connect((kind) => kind === 'candidate' && window.isCut)");
  for (const side of ['polite', 'impolite']) await expect.poll(signals, PATIENT).toContain(`${side} all`);
  await page.evaluate('window.isCut = false');
  await page.clock.runFor(8000);
  await expect.poll(isConnected, PATIENT).toBe(true);
});

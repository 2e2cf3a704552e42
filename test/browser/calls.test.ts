/** Real WebRTC video calls between headless browsers, connected only by this server's signaling. */
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type Account, connect, registerMany } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SOCKET_IO = path.join(
  path.dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')),
  'dist/socket.io.min.js',
);
const PAGE = path.join(import.meta.dirname, 'page.js');
/** Browsers that encode video in software are slow. No test may depend on how slow. */
const PATIENT = { timeout: 60_000, interval: 200 };
const TEST_MS = 300_000;
const ENV = { CALL_RING_TIMEOUT_MS: '600000', CALL_RECONNECT_GRACE_MS: '600000' };

interface Look {
  peers: { frames: number; state: string; ufrag?: string }[];
  ringing?: string;
  reasons: string[];
  inCall: boolean;
  status?: string;
}

let server: TestServer;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ env: ENV }), startChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** Opens a page of the server's own origin, signed in as a user. */
async function open(account: Account): Promise<Page> {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${server.url}/healthz`);
  await page.addScriptTag({ path: SOCKET_IO });
  await page.addScriptTag({ path: PAGE });
  await page.evaluate(`startClient(${JSON.stringify({ token: account.access_token, userId: account.id })})`);
  return page;
}

const look = (page: Page) => page.evaluate('client.look()') as Promise<Look>;
const run = (page: Page, code: string) => page.evaluate(`client.${code}`);

/** Waits until the page has decoded more frames of each of `count` peers. */
async function seesMovingFrames(page: Page, count: number): Promise<void> {
  let before: number[] = [];
  await expect
    .poll(async () => {
      const frames = (await look(page)).peers.map((peer) => peer.frames);
      if (before.length === 0 && frames.length === count && frames.every((each) => each > 0)) before = frames;
      return before.length === count && frames.every((each, i) => each > before[i]! + 5);
    }, PATIENT)
    .toBe(true);
}

const ufrags = async (page: Page) => (await look(page)).peers.map((peer) => peer.ufrag);

describe('a video call between browsers', () => {
  it(
    'of two: one device accepts, the other falls silent, video moves both ways, ICE restarts, and hanging up ends it',
    async () => {
      const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
      const [pageA, pageB, pageB2] = await Promise.all([open(a), open(b), open(b)]);
      await run(pageA, `initiate(${JSON.stringify({ recipient_id: b.id })})`);
      for (const page of [pageB, pageB2]) {
        await expect.poll(async () => (await look(page)).ringing, PATIENT).toBeDefined();
      }
      await run(pageB, 'accept()');
      await expect.poll(async () => (await look(pageB2)).ringing, PATIENT).toBeUndefined();
      expect((await look(pageB2)).reasons.at(-1)).toBe('answered_elsewhere');
      await Promise.all([pageA, pageB].map((page) => seesMovingFrames(page, 1)));
      expect((await look(pageB2)).peers).toEqual([]);

      const before = await Promise.all([pageA, pageB].map(ufrags));
      await run(pageA, 'restartIce()');
      for (const [i, page] of [pageA, pageB].entries()) {
        await expect.poll(() => ufrags(page), PATIENT).not.toEqual(before[i]);
        await expect.poll(async () => (await look(page)).peers[0]?.state, PATIENT).toMatch(/connected|completed/);
      }
      await Promise.all([pageA, pageB].map((page) => seesMovingFrames(page, 1)));

      expect(await run(pageA, 'end()')).toBe('ended');
      for (const page of [pageA, pageB]) {
        await expect.poll(async () => (await look(page)).status, PATIENT).toBe('ended');
        expect(await look(page)).toMatchObject({ peers: [], inCall: false });
      }
      await Promise.all([pageA, pageB, pageB2].map((page) => page.context().close()));
    },
    TEST_MS,
  );

  it(
    'of three in a group: everyone sees everyone, and those who stay go on seeing each other',
    async () => {
      const accounts = (await registerMany(server.url, 3)) as [Account, Account, Account];
      const [a, b, c] = accounts;
      const creator = await connect(server.url, a);
      const { group } = await creator.ok('group:create', { name: 'Video', member_ids: [b.id, c.id] });
      creator.close();
      const pages = (await Promise.all(accounts.map(open))) as [Page, Page, Page];
      await run(pages[0], `initiate(${JSON.stringify({ group_id: group._id })})`);
      for (const page of pages.slice(1)) {
        await expect.poll(async () => (await look(page)).ringing, PATIENT).toBeDefined();
        await run(page, 'accept()');
      }
      await Promise.all(pages.map((page) => seesMovingFrames(page, 2)));
      expect(await run(pages[0], 'end()')).toBe('ongoing');
      for (const page of pages.slice(1)) {
        await expect.poll(async () => (await look(page)).peers.length, PATIENT).toBe(1);
        await seesMovingFrames(page, 1);
      }
      await run(pages[1], 'end()');
      expect(await run(pages[2], 'end()')).toBe('ended');
      expect((await look(pages[0])).status).toBe('ended');
      await Promise.all(pages.map((page) => page.context().close()));
    },
    TEST_MS,
  );
});

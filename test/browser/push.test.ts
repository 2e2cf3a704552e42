/**
 * What was really sent to a push service, decrypted with the device's key, is handed to the web client's service worker in a
 * real browser: all but the way over the browser's vendor, which needs the internet.
 */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpStandIn, startHttpStandIn } from '../push/support/http-stand-in.ts';
import { command, type Pushed, signIn, someoneAway } from '../push/support/pushed.ts';
import { startChromium } from '../support/chromium.ts';
import { connect, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SOON = { timeout: 60_000 };

let service: HttpStandIn;
let server: TestServer;
let browser: Browser;
let page: Page;
let devTools: CDPSession;
let registrationId: string;

beforeAll(async () => {
  service = await startHttpStandIn();
  [server, browser] = await Promise.all([startServer({ env: { PUSH_ALLOW_PRIVATE: 'on' } }), startChromium()]);
  const context = await browser.newContext({ permissions: ['notifications'] });
  page = await context.newPage();
  devTools = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    devTools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [registration] = registrations;
      if (registration) resolve(registration.registrationId);
    });
  });
  await devTools.send('ServiceWorker.enable');
  await page.goto(server.url);
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
  registrationId = await registered;
  // A page that is looked at shows by itself what is new.
  await page.goto('about:blank');
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await service?.close();
});

async function deliver(pushed: Pushed): Promise<void> {
  const data = JSON.stringify(pushed);
  await devTools.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId, data });
}

/** The notifications that are shown. */
async function shown(): Promise<{ title: string; body: string; tag: string }[]> {
  const looking = await page.context().newPage();
  try {
    await looking.goto(`${server.url}/healthz`);
    return await looking.evaluate(`navigator.serviceWorker.getRegistration('/')
      .then((registration) => registration.getNotifications())
      .then((all) => all.map(({ title, body, tag }) => ({ title, body, tag })))`);
  } finally {
    await looking.close();
  }
}

it('a push is shown, replaced by the next one of its conversation, and gone when that was read elsewhere', async () => {
  const ann = await connect(server.url, await register(server.url, { full_name: 'Ann Lee' }));
  const bob = await someoneAway(server.url, service);
  const { message } = await ann.ok('message:send', { recipient_id: bob.account.id, content: 'a secret' });
  await expect.poll(bob.pushed, SOON).toHaveLength(1);
  await deliver(bob.pushed()[0]);
  const tag = message.conversation_id;
  await expect.poll(shown, SOON).toEqual([{ title: 'Ann Lee', body: 'New message', tag }]);

  await ann.ok('message:send', { recipient_id: bob.account.id, content: 'another' });
  await expect.poll(bob.pushed, SOON).toHaveLength(2);
  await deliver(bob.pushed()[1]);
  await expect.poll(shown, SOON).toEqual([{ title: 'Ann Lee', body: '2 new messages', tag }]);

  const elsewhere = await signIn(server.url, bob.account);
  await command(server.url, elsewhere, 'message:read', { recipient_id: ann.id, up_to_seq: 2 });
  await expect.poll(() => bob.pushed().at(-1)?.type, SOON).toBe('read');
  await deliver(bob.pushed().at(-1));
  await expect.poll(shown, SOON).toEqual([]);
});

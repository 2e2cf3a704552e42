/**
 * What was really sent to a push service, decrypted with the device's key, is handed to the web client's service worker in a
 * real browser: all but the way over the browser's vendor, which needs the internet.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type HttpStandIn, startHttpStandIn } from '../push/support/http-stand-in.ts';
import { command, type Pushed, signIn, someoneAway } from '../push/support/pushed.ts';
import { browser as browserKeys } from '../push/support/rfc8291.ts';
import { startChromium } from '../support/chromium.ts';
import { connect, register } from '../support/client.ts';
import { sampleOf } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SOON = { timeout: 60_000 };

let service: HttpStandIn;
let server: TestServer;
let browser: Browser;
let page: Page;
let worker: Worker;

/** The service worker of a page. */
interface Worker {
  devTools: CDPSession;
  origin: string;
  registrationId: Promise<string>;
}

beforeAll(async () => {
  service = await startHttpStandIn();
  [server, browser] = await Promise.all([startServer({ env: { PUSH_ALLOW_PRIVATE: 'on' } }), startChromium()]);
  ({ page, worker } = await open());
  await page.goto(server.url);
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
  await worker.registrationId;
  // A page that is looked at shows by itself what is new.
  await page.goto('about:blank');
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await service?.close();
});

/** A page that may show notifications, and the worker that it is going to register. */
async function open(origin = server.url): Promise<{ page: Page; worker: Worker }> {
  const context = await browser.newContext({ permissions: ['notifications'] });
  const opened = await context.newPage();
  const devTools = await context.newCDPSession(opened);
  const registrationId = new Promise<string>((resolve) => {
    devTools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [registration] = registrations;
      if (registration) resolve(registration.registrationId);
    });
  });
  await devTools.send('ServiceWorker.enable');
  return { page: opened, worker: { devTools, origin, registrationId } };
}

async function deliver(pushed: Pushed, { devTools, origin, registrationId } = worker): Promise<void> {
  const delivery = { origin, registrationId: await registrationId, data: JSON.stringify(pushed) };
  await devTools.send('ServiceWorker.deliverPushMessage', delivery);
}

/** The notifications that are shown. @param address a page of the worker's origin */
async function shown(
  from: Page = page,
  address = `${server.url}/healthz`,
): Promise<{ title: string; body: string; tag: string }[]> {
  const looking = await from.context().newPage();
  try {
    await looking.goto(address);
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
  await expect.poll(() => shown(), SOON).toEqual([{ title: 'Ann Lee', body: 'New message', tag }]);

  await ann.ok('message:send', { recipient_id: bob.account.id, content: 'another' });
  await expect.poll(bob.pushed, SOON).toHaveLength(2);
  await deliver(bob.pushed()[1]);
  await expect.poll(() => shown(), SOON).toEqual([{ title: 'Ann Lee', body: '2 new messages', tag }]);

  const elsewhere = await signIn(server.url, bob.account);
  await command(server.url, elsewhere, 'message:read', { recipient_id: ann.id, up_to_seq: 2 });
  await expect.poll(() => bob.pushed().at(-1)?.type, SOON).toBe('read');
  await deliver(bob.pushed().at(-1));
  await expect.poll(() => shown(), SOON).toEqual([]);
});

it('docs/push.md: a device is named, and its worker shows what is pushed', async () => {
  const site = createServer(async (request, response) => {
    if (request.url === '/sw.js') {
      response.setHeader('content-type', 'text/javascript').end(sampleOf('docs/push.md', 'showNotification'));
    } else if (request.url === '/push/vapid') response.end(await (await fetch(`${server.url}/push/vapid`)).text());
    else response.setHeader('content-type', 'text/html').end('<!doctype html>');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void site.close());
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const own = await open(origin);
  const keys = browserKeys(`${service.url}/wpush/guide`);
  const bob = await connect(server.url, await register(server.url));
  await own.page.exposeFunction('ask', (name: 'push:subscribe', payload: never) => bob.ok(name, payload));
  await own.page.goto(origin);
  // A browser's vendor cannot be reached: it would give what the test has.
  await own.page.evaluate(`{
    const subscription = ${JSON.stringify(keys.subscription)};
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      window.key = applicationServerKey;
      return { toJSON: () => subscription };
    };
    window.socket = { emitWithAck: ask };
  }`);
  await own.page.evaluate(`(async () => { ${sampleOf('docs/push.md', 'push:subscribe')} })()`);
  expect(await own.page.evaluate('key')).toMatch(/^[\w-]{87}$/);
  bob.close();

  const ann = await connect(server.url, await register(server.url, { full_name: 'Ann Lee' }));
  const { message } = await ann.ok('message:send', { recipient_id: bob.id, content: 'a secret' });
  const pushed = () =>
    service.received
      .filter(({ path, taken }) => path === '/wpush/guide' && taken)
      .map(({ body }) => keys.decrypt(body));
  await expect.poll(pushed, SOON).toHaveLength(1);
  await deliver(pushed()[0], own.worker);
  const tag = message.conversation_id;
  await expect.poll(() => shown(own.page, origin), SOON).toEqual([{ title: 'Ann Lee', body: 'New message', tag }]);
  await deliver({ type: 'read', conversation_id: tag, badge: 0 }, own.worker);
  await expect.poll(() => shown(own.page, origin), SOON).toEqual([]);
  await own.page.context().close();
  ann.close();
});

/** The hooks: on a server, in a browser, and how often they render. */
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LetsAppProvider, useConnection, useConversations, useMessages } from '../../shared/client/react/index.ts';
import { startChromium } from '../support/chromium.ts';
import { type Account, registerMany } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { openReady } from './scene.ts';

const PATIENT = { timeout: 60_000, interval: 200 };
let server: TestServer;
let browser: Browser | undefined;
beforeAll(async () => {
  server = await sharedServer();
});
afterAll(async () => {
  await browser?.close();
});
const pair = async () => (await registerMany(server.url, 2)) as [Account, Account];

it('render on a server', async () => {
  const [a, b] = await pair();
  const client = await openReady(server.url, a);
  client.send({ recipient_id: b.id }, { content: 'hello' });
  function Page() {
    const { messages } = useMessages({ recipient_id: b.id });
    return createElement('p', null, `${useConnection()} ${useConversations().length} ${messages[0]!.content}`);
  }
  const page = createElement(LetsAppProvider, { client }, createElement(Page));
  expect(renderToString(page)).toMatch(/<p>ready [01] hello<\/p>/);
});

it('chat in a browser', async () => {
  browser = await startChromium();
  const [a, b] = await pair();
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/react-app.tsx`],
    bundle: true,
    format: 'iife',
    globalName: 'app',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
  });
  const ben = await openReady(server.url, b);
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${server.url}/healthz`);
  await page.addScriptTag({ content: outputFiles[0]!.text });
  await page.evaluate(`app.start('${a.access_token}', '${b.id}')`);
  await expect.poll(() => page.locator('h1').textContent(), PATIENT).toBe('ready, 0 unread');
  await page.getByLabel('Message').fill('from the browser');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect.poll(() => page.locator('li').allTextContents(), PATIENT).toEqual(['me: from the browser delivered']);
  ben.markRead({ recipient_id: a.id });
  await expect.poll(() => page.locator('li').allTextContents(), PATIENT).toEqual(['me: from the browser read']);
  ben.send({ recipient_id: a.id }, { content: 'from Node' });
  await expect.poll(() => page.locator('li').last().textContent(), PATIENT).toBe('peer: from Node ');
  await expect.poll(() => page.locator('h1').textContent(), PATIENT).toBe('ready, 1 unread');
  await context.close();
}, 200_000);

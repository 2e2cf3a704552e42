/** What only a browser has: its database, its locks, its tabs; and the hooks in it. */
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type Account, connect as device, registerMany, uniqueName } from '../support/client.ts';
import { sampleOf } from '../support/samples.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { openReady } from './scene.ts';

const PATIENT = { timeout: 60_000, interval: 200 };
const TEST_MS = 200_000;
const ROOT = `${import.meta.dirname}/../..`;

let server: TestServer;
let browser: Browser;
let scripts: { parts: string; app: string };
beforeAll(async () => {
  const parts = `
    export { connect, session } from './shared/client/index.ts';
    export { indexedDb } from './shared/client/storage/index.ts';
    export { withLock } from './shared/client/storage/locks.ts';`;
  [server, browser, scripts] = await Promise.all([
    sharedServer(),
    startChromium(),
    Promise.all([bundle(parts), bundle(`export * from './test/client/react-app.tsx'`)]).then(([first, app]) => ({
      parts: first,
      app,
    })),
  ]);
});
afterAll(async () => {
  await browser?.close();
});

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'tsx' },
    alias: { 'letsapp-client': `${ROOT}/shared/client` },
    bundle: true,
    format: 'iife',
    globalName: 'lib',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
  });
  return outputFiles[0]!.text;
}

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext({ bypassCSP: true });
  onTestFinished(() => context.close());
  return context;
}

/** A page of the server's origin with a script in it. */
async function openPage(context: BrowserContext, script = scripts.parts): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/healthz`);
  await page.addScriptTag({ content: script });
  return page;
}

/** Runs a function's body in the page. */
// biome-ignore lint/suspicious/noExplicitAny: pages give values of every shape
const inPage = (page: Page, body: string): Promise<any> => page.evaluate(`(async () => { ${body} })()`);

describe('the database of the browser', { timeout: TEST_MS }, () => {
  it('keeps values for all tabs, and over reloads', async () => {
    const context = await newContext();
    const [one, two] = [await openPage(context), await openPage(context)];
    await inPage(
      one,
      `const kept = lib.indexedDb('kept');
       await Promise.all([kept.set('a/2', 'zwei ✓'), kept.set('a/1', 'one'), kept.set('b/1', 'x'), kept.set('a', 'y')]);
       await kept.set('a/1', 'eins');
       await kept.set('a/3', 'drei');
       await kept.delete('a/3');`,
    );
    const look = `const kept = lib.indexedDb('kept');
      return [await kept.keys('a/'), await kept.keys(''), await kept.get('a/1'), await kept.get('a/2'), await kept.get('a/3')];`;
    const all = [['a/1', 'a/2'], ['a', 'a/1', 'a/2', 'b/1'], 'eins', 'zwei ✓', undefined];
    expect(await inPage(two, look)).toEqual(all);
    await one.reload();
    await one.addScriptTag({ content: scripts.parts });
    expect(await inPage(one, look)).toEqual(all);
  });

  it('is made anew where another tab has deleted it, which it does not keep waiting', async () => {
    const context = await newContext();
    const [one, two] = [await openPage(context), await openPage(context)];
    await inPage(one, `window.kept = lib.indexedDb('kept'); await kept.set('a', 'before');`);
    await inPage(
      two,
      `await new Promise((resolve, reject) => {
         const request = indexedDB.deleteDatabase('kept');
         request.onsuccess = resolve;
         request.onerror = reject;
       });`,
    );
    expect(await inPage(one, `return kept.get('a')`)).toBeUndefined();
    await inPage(one, `await kept.set('a', 'after')`);
    expect(await inPage(two, `return lib.indexedDb('kept').get('a')`)).toBe('after');
  });

  it('is warned of where it is full, and no send is lost by that', async () => {
    const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
    const context = await newContext();
    const page = await openPage(context);
    const devTools = await context.newCDPSession(page);
    await devTools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 1 });
    await inPage(
      page,
      `window.warnings = [];
       window.client = lib.connect({ url: location.origin, getToken: () => '${a.access_token}', storage: lib.indexedDb('full') });
       client.on('warning', ({ code }) => warnings.push(code));
       client.send({ recipient_id: '${b.id}' }, { content: 'all the same' });`,
    );
    const ben = await device(server.url, b);
    await ben.next('message:new', ({ message }) => message.content === 'all the same');
    await expect.poll(() => page.evaluate('warnings'), PATIENT).toEqual(['storage_failed']);
    ben.close();
  });
});

describe('tabs of one origin', { timeout: TEST_MS }, () => {
  it('have one that sends; where it is closed another does', async () => {
    const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
    const context = await newContext();
    const tabs = [await openPage(context), await openPage(context)] as const;
    for (const tab of tabs) {
      await inPage(
        tab,
        `window.client = lib.connect({ url: location.origin, getToken: () => '${a.access_token}', storage: lib.indexedDb('tabs') });
         window.shown = () => client.messages({ recipient_id: '${b.id}' }).get().messages.map(({ content, state }) => content + ' ' + state);`,
      );
      await expect.poll(() => tab.evaluate('client.state'), PATIENT).toBe('ready');
    }
    const locks = () =>
      inPage(
        tabs[1],
        `const { held, pending } = await navigator.locks.query();
         return [held, pending].map((all) => all.filter(({ name }) => name.endsWith('outbox')).length);`,
      );
    await expect.poll(locks, PATIENT).toEqual([1, 1]);
    await inPage(tabs[1], `client.send({ recipient_id: '${b.id}' }, { content: 'from the second' })`);
    for (const tab of tabs) {
      await expect.poll(() => tab.evaluate('shown()'), PATIENT).toEqual(['from the second sent']);
    }
    // It says nothing before it goes, as where a browser ends it.
    await tabs[0].close({ runBeforeUnload: false });
    await expect.poll(locks, PATIENT).toEqual([1, 0]);
    await inPage(tabs[1], `client.send({ recipient_id: '${b.id}' }, { content: 'alone' })`);
    await expect.poll(() => tabs[1].evaluate('shown()'), PATIENT).toEqual(['from the second sent', 'alone sent']);
  });

  it('run one task at a time under a name; who gives up waiting has run none', async () => {
    const context = await newContext();
    const [one, two] = [await openPage(context), await openPage(context)];
    const store = `window.storage = lib.indexedDb('locks');`;
    await inPage(
      one,
      `${store} window.end = undefined;
       lib.withLock(storage, 'work', () => new Promise((resolve) => { end = resolve; }));
       while (!end) await new Promise((resolve) => setTimeout(resolve, 5));`,
    );
    await inPage(
      two,
      `${store} window.told = [];
       const giving = new AbortController();
       lib.withLock(storage, 'work', async () => told.push('given up'), giving.signal).catch(({ name }) => told.push(name));
       lib.withLock(storage, 'work', async () => told.push('worked'));
       await lib.withLock(storage, 'other', async () => told.push('other'));
       giving.abort();`,
    );
    await expect.poll(() => two.evaluate('told'), PATIENT).toEqual(['other', 'AbortError']);
    await one.evaluate('end()');
    await expect.poll(() => two.evaluate('told'), PATIENT).toEqual(['other', 'AbortError', 'worked']);
  });

  it('replace the tokens of their session once for all', async () => {
    const context = await newContext();
    const tabs = [await openPage(context), await openPage(context), await openPage(context)] as const;
    const name = uniqueName('tab');
    const account = `window.account = lib.session(location.origin, lib.indexedDb('session'));`;
    await inPage(
      tabs[0],
      `${account} await account.register({ username: '${name}', email: '${name}@example.test', password: 'Correct-horse-9' });`,
    );
    const refreshes: string[] = [];
    context.on('request', (request) => {
      if (request.url().endsWith('/auth/refresh')) refreshes.push(request.method());
    });
    // As a quarter of an hour later.
    const later = `const now = Date.now; Date.now = () => now() + 15 * 60_000;`;
    for (const tab of tabs) await inPage(tab, `${account} ${later} await account.ready();`);
    const tokens = await Promise.all(tabs.map((tab) => inPage(tab, `return account.getToken()`)));
    expect(new Set(tokens).size).toBe(1);
    expect(refreshes).toEqual(['POST']);
  });
});

it('the hooks show a chat, and render only what has changed', { timeout: TEST_MS }, async () => {
  const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
  const ben = await openReady(server.url, b);
  const page = await openPage(await newContext(), scripts.app);
  await page.evaluate(`lib.start('${a.access_token}', '${b.id}')`);
  await expect.poll(() => page.locator('h1').textContent(), PATIENT).toBe('ready, 0 unread');
  await expect.poll(() => page.locator('h2').textContent(), PATIENT).toBe(a.username);
  const renderedBefore = await page.evaluate('lib.rendered');
  await page.getByLabel('Message').fill('from the browser');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect.poll(() => page.locator('li').allTextContents(), PATIENT).toEqual(['me: from the browser delivered']);
  ben.markRead({ recipient_id: a.id });
  await expect.poll(() => page.locator('li').allTextContents(), PATIENT).toEqual(['me: from the browser read']);
  ben.send({ recipient_id: a.id }, { content: 'from Node' });
  await expect.poll(() => page.locator('li').last().textContent(), PATIENT).toBe('peer: from Node ');
  await expect.poll(() => page.locator('h1').textContent(), PATIENT).toBe('ready, 1 unread');
  expect(await page.evaluate('lib.rendered')).toEqual(renderedBefore);
});

it('the sample of the guide shows a chat, and sends', { timeout: TEST_MS }, async () => {
  const [a, b] = (await registerMany(server.url, 2)) as [Account, Account];
  const script = await bundle(`
    import { createRoot } from 'react-dom/client';
    import { connect } from 'letsapp-client';
    ${sampleOf('shared/client/README.md', 'LetsAppProvider')}
    export function start(token, peer) {
      const client = connect({ url: location.origin, getToken: () => token });
      createRoot(document.body).render(<App client={client} target={{ recipient_id: peer }} />);
    }`);
  const page = await openPage(await newContext(), script);
  await page.evaluate(`lib.start('${a.access_token}', '${b.id}')`);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('hello sent').waitFor();
});

/** The web client in a browser, driven by the roles and names that people with a screen reader find things by. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { uniqueName } from '../support/client.ts';

export const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  colorScheme: 'dark',
  hasTouch: true,
};
export const PASSWORD = 'Correct-horse-9';
/** Browsers beside other tests are slow. No test depends on how slow. */
export const PATIENCE_MS = 60_000;
export const PICTURE = path.resolve(import.meta.dirname, '../../server/web/icon-192.png');

/** A page, and what it wrote to the console or asked of others than its server. */
export interface Opened {
  page: Page;
  complaints: string[];
}

/** Opens the web client as somebody who was never here before. */
export async function open(browser: Browser, url: string, options: BrowserContextOptions): Promise<Opened> {
  const context = await browser.newContext({ ...options, permissions: ['microphone', 'camera'] });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== url) complaints.push(`asked ${origin}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Creates an account. @returns its username */
export async function signUp(page: Page): Promise<string> {
  const name = uniqueName('web');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('textbox', { name: 'Username' }).fill(name);
  await page.getByRole('textbox', { name: 'Email' }).fill(`${name}@example.test`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('link', { name: 'New chat' }).waitFor();
  return name;
}

export async function signIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.getByRole('textbox', { name: 'Username or email' }).fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The conversations at the side; on a phone after going back to them. */
export async function item(page: Page, name: string | RegExp): Promise<Locator> {
  const back = page.getByRole('button', { name: 'Back' });
  if (await back.isVisible()) await back.click();
  return page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name });
}

export async function startChat(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'New chat' }).click();
  await page.getByRole('searchbox', { name: 'Search people' }).fill(name);
  await page.getByRole('link', { name }).click();
  await page.getByRole('heading', { name }).waitFor();
}

export const field = (page: Page) => page.getByRole('textbox', { name: 'Message' });

/** The first message that holds a text. */
export const article = (page: Page, text: string) =>
  page.getByRole('log').getByRole('article').filter({ hasText: text }).first();

export async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** Does something to a message by the buttons that are shown where the pointer is. */
export async function act(page: Page, text: string, button: string): Promise<void> {
  await article(page, text).hover();
  await article(page, text).getByRole('button', { name: button }).first().click();
}

/** Where pages are looked at: at a desk, and on a phone. */
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/** What axe calls serious or critical; `rules` alone, if they are named. */
async function barriers(page: Page, rules?: string[]): Promise<string[]> {
  const options = { resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Nothing that axe calls serious or critical, at a desk and on a phone, by light and by dark, and no scrolling sideways. */
export async function expectAccessible(page: Page): Promise<void> {
  const own = {
    size: page.viewportSize()!,
    isDark: await isTrue(page, "matchMedia('(prefers-color-scheme: dark)').matches"),
  };
  if (!(await isTrue(page, "'axe' in window"))) {
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  }
  const found: string[] = [];
  for (const size of SIZES) {
    const keep = (what: string[]) => found.push(...what.map((each) => `at ${size.width} pixels: ${each}`));
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: 'light' });
    await isDrawn(page);
    keep(await barriers(page));
    if (!(await isTrue(page, 'document.documentElement.scrollWidth <= innerWidth'))) keep(['it scrolls sideways']);
    // Only colours are others by dark.
    await page.emulateMedia({ colorScheme: 'dark' });
    await isDrawn(page);
    keep(await barriers(page, ['color-contrast']));
  }
  await page.setViewportSize(own.size);
  await page.emulateMedia({ colorScheme: own.isDark ? 'dark' : 'light' });
  await isDrawn(page);
  expect(found).toEqual([]);
}

/** The messages that are covered by what can be done with another; and whether that is cut off at the edge of its log. */
export const covered = (page: Page) =>
  page.evaluate(`{
    const box = (element) => element.getBoundingClientRect();
    const bars = [...document.querySelectorAll('[role=toolbar]')];
    const overlap = (one, other) =>
      one.top + 1 < other.bottom && other.top + 1 < one.bottom && one.left + 1 < other.right && other.left + 1 < one.right;
    const others = [...document.querySelectorAll('article')];
    bars.length === 0 ? 'no bar' : bars.flatMap((bar) =>
      others.filter((one) => !one.contains(bar) && overlap(box(one), box(bar))).map(({ textContent }) => textContent).concat(
        box(bar).left < box(bar.closest('.log')).left || box(bar).right > box(bar.closest('.log')).right ? 'cut off' : []));
  }`);

const isTrue = (page: Page, expression: string) => page.evaluate(expression) as Promise<boolean>;

/** What changed with the page's size or colours is shown. */
const isDrawn = (page: Page) =>
  page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');

/** Two people live through the web client: Ann at a desk, by light; Bob on a phone, by dark. Each test goes on from the last. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { startServer, type TestServer } from '../support/server.ts';
import {
  act,
  article,
  covered,
  DESK,
  expectAccessible,
  field,
  item,
  open,
  PATIENCE_MS,
  PHONE,
  PICTURE,
  signIn,
  signUp,
  write,
} from './web-scene.ts';

const TEST_MS = 300_000;
const PATIENT = { timeout: PATIENCE_MS, interval: 200 };
const ENV = { CALL_RING_TIMEOUT_MS: '600000', CALL_RECONNECT_GRACE_MS: '600000' };

let server: TestServer;
let browser: Browser;
let ann: Page;
let bob: Page;
let annName: string;
let bobName: string;
/** What the pages wrote to the console, or asked of others than their server. */
let complaints: string[][] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ env: ENV }), startChromium()]);
  const opened = await Promise.all([open(browser, server.url, DESK), open(browser, server.url, PHONE)]);
  [ann, bob] = [opened[0].page, opened[1].page];
  complaints = opened.map((one) => one.complaints);
  [annName, bobName] = await Promise.all([signUp(ann), signUp(bob)]);
}, TEST_MS);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(() => expect(complaints).toEqual([[], []]));

describe('two people with the web client', { timeout: TEST_MS }, () => {
  it('write to each other, and see who types and how far each message has come', async () => {
    await expectAccessible(bob);
    await ann.getByRole('link', { name: 'New chat' }).click();
    await ann.getByRole('searchbox', { name: 'Search people' }).fill(bobName);
    await ann.getByRole('link', { name: bobName }).waitFor();
    await expectAccessible(ann);
    await ann.getByRole('link', { name: bobName }).click();
    await ann.getByText('Nothing written yet. Say hello.').waitFor();
    await expectAccessible(ann);
    await write(ann, 'Hello Bob');
    await article(ann, 'Hello Bob').getByText('Delivered').waitFor();
    await (await item(bob, /1 unread/)).click();
    await bob.getByRole('heading', { name: annName }).waitFor();
    await article(bob, 'Hello Bob').waitFor();
    await article(ann, 'Hello Bob').getByText('Read').waitFor();
    await field(bob).pressSequentially('Hi');
    await ann.getByText(`${bobName} is typing…`).waitFor();
    await field(bob).fill('Hi Ann');
    await bob.getByRole('button', { name: 'Send' }).click();
    await article(ann, 'Hi Ann').waitFor();
  });

  it('react, answer, edit and delete', async () => {
    await article(ann, 'Hi Ann').hover();
    expect(await covered(ann)).toEqual([]);
    await act(ann, 'Hi Ann', 'React');
    await expectAccessible(ann);
    await article(ann, 'Hi Ann').getByRole('button', { name: '👍' }).click();
    await article(bob, 'Hi Ann').getByRole('button', { name: '👍 1' }).waitFor();
    await act(ann, 'Hi Ann', 'Reply');
    await write(ann, 'An answer');
    await article(bob, 'An answer').getByText('Hi Ann').waitFor();

    await act(ann, 'An answer', 'Edit');
    await expect.poll(() => focused(ann), PATIENT).toBe('Edit text');
    await expectAccessible(ann);
    await ann.getByRole('textbox', { name: 'Edit text' }).fill('Another answer');
    await ann.getByRole('textbox', { name: 'Edit text' }).press('Enter');
    await article(bob, 'Another answer').getByText('edited').waitFor();
    await act(ann, 'Another answer', 'Delete');
    await expectAccessible(ann);
    await ann.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await article(bob, 'Message deleted').waitFor();
  });

  it('do all of that by keyboard too', async () => {
    await field(bob).focus();
    await bob.keyboard.press('Shift+Tab');
    await expect.poll(() => focused(bob), PATIENT).not.toContain('Message');
    await article(bob, 'Hi Ann').focus();
    await article(bob, 'Hi Ann').getByRole('button', { name: 'React' }).waitFor();
    await bob.keyboard.press('ArrowUp');
    await article(bob, 'Hello Bob').getByRole('button', { name: 'Reply' }).press('Enter');
    await expect.poll(() => focused(bob), PATIENT).toBe('Message');
    await bob.keyboard.press('Escape');
    await article(ann, 'Hi Ann').focus();
    await article(ann, 'Hi Ann').getByRole('button', { name: 'React' }).press('Enter');
    await expect.poll(() => focusedText(ann), PATIENT).toBe('👍');
    await ann.keyboard.press('Tab');
    await ann.keyboard.press('Enter');
    await article(bob, 'Hi Ann').getByRole('button', { name: '❤️ 1' }).waitFor();
  });

  it('send pictures and other files', async () => {
    const files = ann.locator('input[type=file]');
    await files.setInputFiles(PICTURE);
    await files.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Bread, butter') });
    await bob.getByRole('img', { name: 'icon-192.png' }).waitFor();
    await bob.getByRole('link', { name: 'notes.txt' }).waitFor();
    await expectAccessible(bob);
    await bob.getByRole('button', { name: 'Open icon-192.png' }).click();
    await expectAccessible(bob);
    await bob.getByRole('button', { name: 'Close' }).click();
  });

  it('become contacts, and then see each other online', async () => {
    await ann.getByRole('link', { name: 'Contacts' }).click();
    await ann.getByRole('searchbox', { name: 'Search people' }).fill(bobName);
    await ann.getByRole('button', { name: 'Add' }).click();
    await item(bob, annName);
    await bob.getByRole('link', { name: 'Contacts' }).click();
    await bob.getByRole('button', { name: 'Accept' }).waitFor();
    await expectAccessible(bob);
    await bob.getByRole('button', { name: 'Accept' }).click();
    await ann.getByRole('list', { name: 'Contacts' }).getByText(bobName).waitFor();
    await expectAccessible(ann);
    await (await item(ann, bobName)).click();
    await ann.getByText('Online', { exact: true }).waitFor();
  });

  it('make a group, and find in it what was written', async () => {
    await ann.getByRole('link', { name: 'New group' }).click();
    await ann.getByRole('textbox', { name: 'Group name' }).fill('Weekend');
    await ann.getByRole('searchbox', { name: 'Search people' }).fill(bobName);
    await ann.getByRole('checkbox', { name: bobName }).check();
    await expectAccessible(ann);
    await ann.getByRole('button', { name: 'Create' }).click();
    await ann.getByRole('heading', { name: 'Weekend' }).waitFor();
    await write(ann, 'Who comes along to the lake?');
    await (await item(bob, /Weekend.*1 unread/)).click();
    await article(bob, 'Who comes along').waitFor();

    await ann.getByRole('link', { name: 'Search' }).click();
    await ann.getByRole('searchbox', { name: 'Search messages' }).fill('lake');
    const found = ann.getByRole('list', { name: 'Messages found' }).getByRole('link', { name: /to the lake/ });
    await found.waitFor();
    await expectAccessible(ann);
    await found.click();
    await article(ann, 'to the lake').waitFor();
  });

  it('call each other, and see each other', async () => {
    await (await item(ann, bobName)).click();
    await ann.getByRole('button', { name: 'Video call' }).click();
    const incoming = bob.getByRole('alertdialog', { name: /Incoming/ });
    await incoming.waitFor();
    await expectAccessible(bob);
    await incoming.getByRole('button', { name: 'Accept' }).click();
    for (const page of [ann, bob]) await expect.poll(() => filmsShown(page), PATIENT).toBeGreaterThan(0);
    await ann.getByRole('button', { name: 'Mute' }).click();
    await expectAccessible(ann);
    await bob.getByRole('button', { name: 'Hang up' }).click();
    for (const page of [ann, bob]) await page.getByRole('button', { name: 'Hang up' }).waitFor({ state: 'hidden' });
  });

  it('block each other: what is written then has failed, and goes out once that is over', async () => {
    await (await item(bob, annName)).click();
    await bob.getByRole('button', { name: 'Details' }).click();
    await bob.getByRole('switch', { name: 'Blocked' }).click();
    await expect.poll(() => bob.getByRole('switch', { name: 'Blocked' }).isChecked(), PATIENT).toBe(true);
    await expectAccessible(bob);
    await write(ann, 'Are you there?');
    await article(ann, 'Are you there?').getByText('Failed').waitFor();
    await expectAccessible(ann);
    await bob.getByRole('switch', { name: 'Blocked' }).click();
    await expect.poll(() => bob.getByRole('switch', { name: 'Blocked' }).isChecked(), PATIENT).toBe(false);
    await bob.getByRole('button', { name: 'Close' }).click();
    await article(ann, 'Are you there?').getByRole('button', { name: 'Try again' }).click();
    await article(bob, 'Are you there?').waitFor();
  });

  it('set what others learn, and sign a device out', async () => {
    await ann.getByRole('link', { name: 'Settings' }).click();
    await ann.getByRole('switch', { name: 'Read receipts' }).click();
    await expect.poll(() => ann.getByRole('switch', { name: 'Read receipts' }).isChecked(), PATIENT).toBe(false);
    const { page: tablet } = await open(browser, server.url, DESK);
    await signIn(tablet, annName);
    await tablet.getByRole('link', { name: 'Settings' }).waitFor();
    await ann.getByRole('link', { name: 'Contacts' }).click();
    await ann.getByRole('link', { name: 'Settings' }).click();
    const devices = ann.getByRole('list', { name: 'Devices' });
    await devices.getByRole('listitem').nth(1).waitFor();
    await expectAccessible(ann);
    await devices.getByRole('button', { name: 'Sign out' }).click();
    await tablet.getByRole('button', { name: 'Sign in' }).waitFor();
    await tablet.context().close();
  });

  it('lose the network, go on writing, and are back by themselves; a reload keeps the session', async () => {
    await (await item(ann, 'Weekend')).click();
    await ann.context().setOffline(true);
    await ann.getByRole('status').filter({ hasText: 'Offline' }).waitFor();
    await write(ann, 'Written without a network');
    await article(ann, 'Written without a network').getByText('Sending').waitFor();
    await expectAccessible(ann);
    await ann.context().setOffline(false);
    await article(ann, 'Written without a network')
      .getByText(/^(Sent|Delivered|Read)$/)
      .waitFor();
    await ann.getByRole('status').filter({ hasText: 'Offline' }).waitFor({ state: 'hidden' });
    // Browsers themselves write to the console what cannot be loaded without a network.
    complaints[0]!.length = 0;
    await ann.reload();
    await article(ann, 'Written without a network').waitFor();
  });

  it('have several tabs: what is written in each without a network is sent once, and seen in all', async () => {
    await (await item(bob, 'Weekend')).click();
    const tab = await ann.context().newPage();
    tab.setDefaultTimeout(PATIENCE_MS);
    await tab.goto(ann.url());
    await article(tab, 'Written without a network').waitFor();
    await ann.context().setOffline(true);
    for (const page of [ann, tab]) await page.getByRole('status').filter({ hasText: 'Offline' }).waitFor();
    await write(tab, 'From the second tab');
    await write(ann, 'From the first tab');
    await article(ann, 'From the second tab').waitFor();
    await ann.context().setOffline(false);
    for (const text of ['From the first tab', 'From the second tab']) {
      for (const page of [ann, tab, bob]) await article(page, text).waitFor();
      await article(tab, text)
        .getByText(/^(Sent|Delivered|Read)$/)
        .waitFor();
    }
    expect(await bob.getByRole('article').filter({ hasText: 'From the' }).count()).toBe(2);
    complaints[0]!.length = 0;
    await tab.close();
  });
});

describe('the page', () => {
  it('sends at most 150 KiB of script at first, and says so when a sign-in is refused', {
    timeout: TEST_MS,
  }, async () => {
    const { page } = await open(browser, server.url, PHONE);
    const scripts = await page.evaluate(
      "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).map((one) => one.transferSize)",
    );
    expect((scripts as number[]).length).toBeGreaterThan(0);
    expect((scripts as number[]).reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(150 * 1024);
    await signIn(page, 'nobody', 'wrong-password');
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Create account' }).click();
    await expectAccessible(page);
    await page.context().close();
  });

  it('is not there with WEB_CLIENT=off', async () => {
    const without = await startServer({ env: { WEB_CLIENT: 'off' } });
    expect((await fetch(without.url)).status).toBe(404);
    await without.stop();
  });
});

/** The name of what has the focus. */
const focused = (page: Page) => page.evaluate("document.activeElement?.ariaLabel ?? ''") as Promise<string>;

const focusedText = (page: Page) => page.evaluate('document.activeElement.textContent') as Promise<string>;

/** How many of the others' films show anything. */
const filmsShown = (page: Page) =>
  page.evaluate(
    "[...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0).length",
  ) as Promise<number>;

/** What messages can do beside being sent, by the web client: Ann at a desk, Bob on a phone. Each test goes on from the last. */
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
  PHONE,
  PICTURE,
  signIn,
  signUp,
  startChat,
  write,
} from './web-scene.ts';

const TEST_MS = 300_000;

let server: TestServer;
let browser: Browser;
let ann: Page;
let bob: Page;
let annName: string;
let bobName: string;
/** What the pages wrote to the console, or asked of others than their server. */
let complaints: string[][] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), startChromium()]);
  const opened = await Promise.all([open(browser, server.url, DESK), open(browser, server.url, PHONE)]);
  [ann, bob] = [opened[0].page, opened[1].page];
  complaints = opened.map((one) => one.complaints);
  [annName, bobName] = await Promise.all([signUp(ann), signUp(bob)]);
  await startChat(ann, bobName);
  await write(ann, 'First');
  await (await item(bob, annName)).click();
  await article(bob, 'First').waitFor();
}, TEST_MS);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(() => expect(complaints).toEqual([[], []]));

/** Does something to a message that lies below `More`. */
async function actMore(page: Page, text: string, button: string): Promise<void> {
  await act(page, text, 'More');
  await article(page, text).getByRole('button', { name: button, exact: true }).click();
}

const thread = (page: Page) => page.getByRole('log', { name: 'Thread' });

describe('two people with the web client', { timeout: TEST_MS }, () => {
  it('talk in a thread: beside the conversation at a desk, in its place on a phone', async () => {
    await act(ann, 'First', 'Thread');
    await ann.getByRole('textbox', { name: 'Reply in thread' }).fill('Aside');
    await ann.getByRole('textbox', { name: 'Reply in thread' }).press('Enter');
    await thread(ann).getByText('Aside').waitFor();
    await article(bob, 'First').getByRole('button', { name: '1 in thread' }).click();
    await thread(bob).getByText('Aside').waitFor();
    await bob.getByRole('textbox', { name: 'Reply in thread' }).fill('Beside');
    await bob.getByRole('button', { name: 'Send reply' }).click();
    await thread(ann).getByText('Beside').waitFor();
    const messages = ann.getByRole('log', { name: 'Messages' });
    await messages.getByRole('button', { name: '2 in thread' }).waitFor();

    await ann.getByRole('complementary', { name: 'Thread' }).locator('input[type=file]').setInputFiles(PICTURE);
    for (const page of [ann, bob]) await thread(page).getByRole('img', { name: 'icon-192.png' }).waitFor();
    await messages.getByRole('button', { name: '3 in thread' }).waitFor();
    expect(await messages.getByRole('img').count()).toBe(0);

    await messages.getByRole('article').first().hover();
    expect(await covered(ann)).toEqual([]);
    await thread(ann).getByRole('article').filter({ hasText: 'Beside' }).hover();
    expect(await covered(ann)).toEqual([]);
    await thread(bob).getByRole('article').filter({ hasText: 'Beside' }).hover();
    expect(await covered(bob)).toEqual([]);
    await expectAccessible(ann);
    await bob.getByRole('button', { name: 'Back' }).click();
    await field(bob).waitFor();
    await ann.reload();
    await thread(ann).getByText('Beside').waitFor();
    await ann.getByRole('button', { name: 'Close thread' }).click();
    await thread(ann).waitFor({ state: 'detached' });
  });

  it('pin a message, keep one, and look at what an edited one said before', async () => {
    await act(ann, 'First', 'More');
    await expectAccessible(ann);
    await article(ann, 'First').getByRole('button', { name: 'Pin', exact: true }).click();
    await bob.getByRole('button', { name: /Pinned First/ }).click();
    await expectAccessible(bob);
    await bob.getByRole('list', { name: 'Pinned messages' }).getByRole('link', { name: /First/ }).click();
    await act(ann, 'First', 'Edit');
    await ann.getByRole('textbox', { name: 'Edit text' }).fill('Second');
    await ann.getByRole('button', { name: 'Save' }).click();
    await article(bob, 'Second').getByText('edited').waitFor();
    await actMore(bob, 'Second', 'Earlier texts');
    await bob.getByRole('dialog', { name: 'Earlier texts' }).getByText('First').waitFor();
    await expectAccessible(bob);
    await bob.keyboard.press('Escape');
    await actMore(bob, 'Second', 'Keep');
    await bob.getByText('Kept under Activity.').waitFor();
    await item(bob, annName);
    await bob.getByRole('link', { name: 'Activity' }).click();
    await bob
      .getByRole('list', { name: 'Kept' })
      .getByRole('link', { name: /Second/ })
      .waitFor();
    await bob
      .getByRole('list', { name: 'Threads' })
      .getByRole('link', { name: /Second/ })
      .waitFor();
    await expectAccessible(bob);
  });

  it('mention each other by a name that the field completes', async () => {
    await field(ann).pressSequentially(`Hello @${bobName.slice(0, 4)}`);
    await ann.getByRole('option', { name: bobName }).waitFor();
    await expectAccessible(ann);
    await ann.keyboard.press('Tab');
    await field(ann).press('Enter');
    await article(ann, 'Hello').getByText(`@${bobName}`, { exact: true }).waitFor();
    const chat = await item(bob, /1 mention/);
    await chat.waitFor();
    await chat.click();
    await article(bob, 'Hello').getByText(`@${bobName}`, { exact: true }).waitFor();
  });

  it('find on another device what was begun on the first', async () => {
    await field(bob).fill('I was about to');
    const { page: tablet } = await open(browser, server.url, DESK);
    await signIn(tablet, bobName);
    const chat = tablet.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: /Draft: I was/ });
    await chat.click();
    await expect.poll(() => field(tablet).inputValue()).toBe('I was about to');
    await tablet.context().close();
    await field(bob).fill('');
  });

  it('come into a group by an invitation, may there what its admins allow, and pass messages on', async () => {
    await ann.getByRole('link', { name: 'New group' }).click();
    await ann.getByRole('textbox', { name: 'Group name' }).fill('Weekend');
    await ann.getByRole('button', { name: 'Create' }).click();
    await ann.getByRole('button', { name: 'Details' }).click();
    await ann.getByRole('button', { name: 'New invitation link' }).click();
    const address = await invitationThat(/Used 0 times/);
    await bob.goto(address);
    await bob.getByRole('button', { name: 'Join group' }).waitFor();
    await expectAccessible(bob);
    await bob.getByRole('button', { name: 'Join group' }).click();
    await bob.getByRole('heading', { name: 'Weekend' }).waitFor();
    await ann.getByText('What members may do').click();
    await ann.getByRole('switch', { name: 'Write messages' }).click();
    await bob.getByText('Only admins write here.').waitFor();
    await expectAccessible(bob);
    await ann.getByRole('button', { name: 'Close' }).click();

    await (await item(ann, bobName)).click();
    await actMore(ann, 'Second', 'Forward');
    await expectAccessible(ann);
    await ann.getByRole('dialog', { name: 'Forward' }).getByRole('button', { name: 'Weekend' }).click();
    await article(bob, 'Second').getByText('Forwarded').waitFor();
  });

  it('wait between messages where the group is slow, and see how long', async () => {
    await ann.getByRole('button', { name: 'Details' }).click();
    await ann.getByText('What members may do').click();
    await ann.getByRole('switch', { name: 'Write messages' }).click();
    await ann.getByRole('combobox', { name: 'Slow mode' }).selectOption('An hour');
    await field(bob).waitFor();
    const long = 'My one message, in which there is all that I have to say about the lake, the boats and the bread.';
    await write(bob, long);
    await ann.getByRole('button', { name: 'Close' }).click();
    for (const width of [1280, 1150, 850, 720, 390]) {
      await ann.setViewportSize({ width, height: 800 });
      await article(ann, 'My one message').hover();
      expect(await covered(ann)).toEqual([]);
    }
    await ann.setViewportSize(DESK.viewport!);
    await ann.getByRole('button', { name: 'Details' }).click();
    await ann.getByText('What members may do').click();
    await field(bob).fill('And another');
    const timer = bob.getByRole('timer', { name: 'Slow mode' });
    await timer.getByText(/^(60:00|59:\d\d)$/).waitFor();
    const [begun, placeholder] = [await timer.textContent(), await field(bob).getAttribute('placeholder')];
    expect(placeholder).toMatch(/^Slow mode: /);
    expect(await bob.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    await expectAccessible(bob);
    await expect.poll(() => timer.textContent()).not.toBe(begun);
    await field(bob).press('Enter');
    expect(await field(bob).inputValue()).toBe('And another');
    await ann.getByRole('combobox', { name: 'Slow mode' }).selectOption('Off');
    await timer.waitFor({ state: 'detached' });
    await field(bob).press('Enter');
    await article(bob, 'And another').waitFor();
  });

  it('ask to come in where an invitation says so, are turned down, ask again, and are let in', async () => {
    await bob.getByRole('button', { name: 'Details' }).click();
    await bob.getByRole('button', { name: 'Leave group' }).click();
    await bob.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click();
    await bob.getByRole('heading', { name: 'Weekend' }).waitFor({ state: 'detached' });
    await ann.getByRole('switch', { name: 'Ask before somebody joins' }).click();
    await ann.getByRole('button', { name: 'New invitation link' }).click();
    const address = await invitationThat(/asks first/);
    const asking = ann.getByRole('list', { name: 'Want to join' }).getByRole('listitem').filter({ hasText: bobName });
    for (const answer of ['Decline', 'Accept']) {
      await bob.goto(address);
      await bob.getByRole('button', { name: 'Join group' }).click();
      await bob.getByText('Asked.').waitFor();
      await asking.waitFor();
      if (answer === 'Accept') await expectAccessible(ann);
      await asking.getByRole('button', { name: answer }).click();
      await asking.waitFor({ state: 'detached' });
    }
    await bob.getByRole('heading', { name: 'Weekend' }).waitFor();
    await ann.getByRole('list', { name: 'Members' }).getByText(bobName).waitFor();
  });

  it('say what a group is called, looks like and is about, if they may, and who else may', async () => {
    const name = (page: Page) => page.getByRole('textbox', { name: 'Group name' });
    await name(ann).fill('Weekend at the lake');
    await ann.getByRole('textbox', { name: 'Description' }).fill('Boats,\nand bread');
    await ann.getByRole('button', { name: 'Save' }).click();
    await ann.getByRole('status').filter({ hasText: 'Saved' }).waitFor();
    await ann.getByLabel('Change picture').setInputFiles(PICTURE);
    await ann.getByRole('button', { name: 'Remove picture' }).waitFor();
    await bob.getByRole('heading', { name: 'Weekend at the lake' }).waitFor();
    await bob.locator('.conversation__head > .avatar img').waitFor();

    await bob.getByRole('button', { name: 'Details' }).click();
    await bob.getByText('Boats,').waitFor();
    await bob.getByRole('list', { name: 'Members' }).getByText(annName).waitFor();
    for (const hidden of [name(bob), bob.getByText('Change picture'), bob.getByRole('button', { name: /^Manage / })]) {
      expect(await hidden.count()).toBe(0);
    }
    for (const hidden of ['What members may do', 'Invitations', 'Delete group', 'Search people']) {
      expect(await bob.getByText(hidden).count()).toBe(0);
    }
    await expectAccessible(bob);
    await manageBob('Make admin');
    await name(bob).waitFor();
    await expectAccessible(bob);
    await name(bob).fill('The lake');
    await bob.getByRole('button', { name: 'Save' }).click();
    await ann.getByRole('heading', { name: 'The lake' }).first().waitFor();
    await ann.getByRole('button', { name: 'Remove picture' }).click();
    await bob.locator('.conversation__head > .avatar img').waitFor({ state: 'detached' });
    await manageBob('Remove as admin');
    await name(bob).waitFor({ state: 'detached' });
  });

  it('are not let in by an invitation that was revoked', async () => {
    const address = await invitationThat(/asks first/);
    const invitations = ann.getByRole('list', { name: 'Invitations' }).getByRole('listitem');
    expect(await invitations.count()).toBe(2);
    await invitations.filter({ hasText: address }).getByRole('button', { name: 'Revoke' }).click();
    await invitations.filter({ hasText: address }).waitFor({ state: 'detached' });
    expect(await invitations.count()).toBe(1);
    await bob.goto(address);
    await bob.getByText('This invitation is no longer good.').waitFor();
    await expectAccessible(bob);
  });

  it('are told when they are in a group no longer, and a group ends for all', async () => {
    await (await item(bob, 'The lake')).click();
    await manageBob('Remove from the group');
    await ann.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await bob.getByText('You are no longer in this group.').waitFor();
    await expectAccessible(bob);
    expect(await (await item(bob, 'The lake')).count()).toBe(0);
    await ann.getByRole('button', { name: 'Delete group' }).click();
    await ann.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await ann.getByText('Choose a conversation').waitFor();
    expect(await (await item(ann, 'The lake')).count()).toBe(0);
  });
});

/** The address of the invitation in Ann's list of which so much is said. */
async function invitationThat(said: RegExp): Promise<string> {
  const one = ann.getByRole('list', { name: 'Invitations' }).getByRole('listitem').filter({ hasText: said });
  return (await one.getByText('/join/').textContent())!;
}

/** What Ann does about Bob among the members. */
async function manageBob(what: string): Promise<void> {
  await ann.getByRole('button', { name: `Manage ${bobName}` }).click();
  await ann.getByRole('button', { name: what }).click();
}

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, events } from '../../shared/contract/index.ts';
import { startChromium } from '../support/chromium.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

const PATIENCE_MS = 180_000;

let server: TestServer;
let pages: Map<string, string>;

/** All pages that can be reached from the first, by their addresses. */
async function crawl(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const waiting = ['/docs/'];
  for (const address of waiting) {
    const response = await fetch(server.url + address);
    expect([address, response.status]).toEqual([address, 200]);
    const text = await response.text();
    found.set(address, text);
    const next = linksOf(text).map((link) => link.split('#')[0]!);
    waiting.push(...next.filter((link) => /^\/docs\/.*$/.test(link) && !waiting.includes(link)));
  }
  return found;
}

const linksOf = (html: string) => [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, link]) => link!);
const idsOf = (html: string) => [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);

beforeAll(async () => {
  server = await sharedServer();
  pages = await crawl();
});

describe('/docs', () => {
  it('leads to pages of which every link inside the site has its end', () => {
    expect(pages.size).toBeGreaterThan(20);
    const broken = [...pages].flatMap(([address, html]) =>
      linksOf(html)
        .filter((link) => {
          const [to, fragment] = link.split('#');
          const page = to === '' ? html : pages.get(to!);
          if (!link.startsWith('#') && !link.startsWith('/docs'))
            return !/^(https?:|mailto:|\/(openapi|asyncapi)\.json$)/.test(link);
          return page === undefined || (fragment !== undefined && !idsOf(page).includes(fragment));
        })
        .map((link) => `${address}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('has a section for every command and every event, made from their declarations', () => {
    const reference = pages.get('/docs/reference.html')!;
    const ids = idsOf(reference);
    const slug = (name: string) => name.replaceAll(':', '');
    const expected = [...Object.keys(commands).map(slug), ...Object.keys(events).map((name) => `event-${slug(name)}`)];
    expect(expected.filter((id) => !ids.includes(id) && !ids.includes(`${id}-1`))).toEqual([]);
    expect(reference).toContain(commands['message:send'].summary.split('`')[0]);
  });

  it('loads nothing from elsewhere and runs no script but its own', async () => {
    const loaded = [...pages.values()].flatMap((html) => [
      ...html.matchAll(/<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"/g),
    ]);
    expect([...new Set(loaded.map(([, source]) => source))].sort()).toEqual([
      '/docs/http.js',
      '/docs/site.css',
      '/docs/site.js',
      'data:,',
    ]);
    const policy = (await fetch(`${server.url}/docs/`)).headers.get('content-security-policy');
    expect(policy).toMatch(/default-src 'none'.*script-src 'self'; style-src 'self'$/);
  });

  it('comes compressed, and not again to those who have it', async () => {
    const first = await fetch(`${server.url}/docs/protocol.html`);
    expect(first.headers.get('content-encoding')).toBe('gzip');
    const plain = await fetch(`${server.url}/docs/protocol.html`, { headers: { 'accept-encoding': 'identity' } });
    expect(await plain.text()).toBe(await first.text());
    const again = await fetch(first.url, { headers: { 'if-none-match': first.headers.get('etag')! } });
    expect(again.status).toBe(304);
    expect((await fetch(`${server.url}/docs`)).url).toBe(`${server.url}/docs/`);
  });

  it.each(['no-such-page.html', '..%2f..%2fpackage.json', '%2e%2e/server/main.js', 'index.html.gz', 'a%00.html'])(
    'has no page %s',
    async (name) => {
      expect((await fetch(`${server.url}/docs/${name}`)).status).toBe(404);
    },
  );
});

describe('in a browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  }, PATIENCE_MS);

  afterAll(() => browser?.close());

  it.each([
    [390, 'dark'],
    [1440, 'light'],
  ] as const)(
    '%i pixels wide and %s it shows routes, finds what is searched, and complains of nothing',
    { timeout: PATIENCE_MS },
    async (width, colorScheme) => {
      const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme });
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('request', (request) => {
        if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) complaints.push(request.url());
      });
      for (const address of ['/docs/', '/docs/reference.html', '/docs/http.html#messageSend']) {
        await page.goto(server.url + address);
        await page.waitForLoadState('networkidle');
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect([address, overflow]).toEqual([address, 0]);
      }
      await page.locator('#messageSend').getByText('For example:').first().waitFor();
      expect(await page.locator('details.operation').count()).toBeGreaterThan(50);

      await page.getByRole('searchbox', { name: 'Search' }).fill('client_message_id');
      await page.locator('#found a').first().click();
      await page.waitForURL(/\/docs\/.*#/);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});

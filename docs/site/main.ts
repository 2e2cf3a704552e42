/** The documentation site: plain pages from the project's documents and the contract. `build.mjs` puts it into dist/docs/. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { layOut, type Menu } from './layout.ts';
import { type Rendered, renderMarkdown } from './markdown.ts';
import { pageName, readGroups } from './pages.ts';
import { describeReference } from './reference.ts';

/** The page that shows `/openapi.json`; its script fills it, so that it is of the very server. */
const HTTP_PAGE = `# HTTP

Every route of this server, as [\`/openapi.json\`](/openapi.json) describes it.

<div id="operations" aria-busy="true">Needs a script, which reads the document above.</div>
`;

/**
 * @param root the project's folder
 * @returns the files of the site, by their names, compressed by gzip
 */
export function buildSite(root: string): Map<string, Buffer> {
  const groups = readGroups(root);
  const pages = groups.map(({ title, pages: own }) => ({ title, pages: [...own, ...generated(title)] }));
  const known = new Map(pages.flatMap((group) => group.pages).map(({ file, name }) => [file, addressOf(name)]));
  const rendered = pages.flatMap((group) =>
    group.pages.map(({ name, file, markdown }) => ({
      name,
      group: group.title,
      page: renderMarkdown(markdown, file, (to) => known.get(to) ?? known.get(`${to}/README.md`)),
    })),
  );
  const menus: Menu[] = pages.map(({ title }) => ({
    title,
    entries: rendered
      .filter(({ group }) => group === title)
      .map(({ name, page }) => ({ title: page.title, address: addressOf(name) })),
  }));
  const files = rendered.map(({ name, page }): [string, string] => [
    `${name}.html`,
    layOut(page, addressOf(name), menus, name === 'http' ? ['/docs/http.js'] : []),
  ]);
  const assets = readdirSync(join(root, 'docs/site/assets')).map((name): [string, string] => [
    name,
    readFileSync(join(root, 'docs/site/assets', name), 'utf8'),
  ]);
  const index: [string, string] = ['search.json', JSON.stringify(rendered.flatMap(searchable))];
  return new Map([...files, ...assets, index].map(([name, text]) => [`${name}.gz`, gzipSync(text, { level: 9 })]));
}

/** What is made from the contract rather than written. */
function generated(group: string) {
  if (group !== 'Reference') return [];
  const page = (name: string, markdown: string) => ({ name, file: `docs/${name}.md`, markdown });
  return [page('reference', describeReference()), page('http', HTTP_PAGE)];
}

const addressOf = (name: string) => (name === pageName('docs/start.md') ? '/docs/' : `/docs/${name}.html`);

function searchable({ name, page }: { name: string; page: Rendered }) {
  return page.sections.map(({ title, id, text }) => ({
    page: page.title,
    title,
    text,
    to: `${addressOf(name)}#${id}`,
  }));
}

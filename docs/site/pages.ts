/** The pages of the documentation site: which documents there are, and under which heading each is listed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Page {
  /** Its address below `/docs/`, without `.html`. */
  name: string;
  /** From the project's root; what its links are relative to. */
  file: string;
  markdown: string;
}

export interface Group {
  title: string;
  pages: Page[];
}

/** The documents by group, in the order of the menu. A document that is named nowhere is listed under the last. */
const GROUPS: [string, string[]][] = [
  ['Guide', ['docs/start.md', 'docs/concepts.md', 'shared/client/README.md', 'docs/identity.md']],
  ['Reference', ['docs/protocol.md', 'docs/choices.md', 'docs/glossary.md', 'CHANGELOG.md']],
  ['Operate', ['docs/operations.md', 'docs/load.md', 'docs/benchmark.md', 'SECURITY.md']],
  ['Design', ['docs/architecture.md', 'docs/data.md', 'docs/calls.md', 'docs/media.md', 'CONTRIBUTING.md']],
];
const START = 'docs/start.md';

/** @param root the project's folder */
export function readGroups(root: string): Group[] {
  const named = new Set(GROUPS.flatMap(([, files]) => files));
  const rest = ['docs', 'docs/decisions']
    .flatMap((folder) => markdownIn(root, folder))
    .filter((file) => !named.has(file));
  return GROUPS.map(([title, files]) => {
    const all = title === GROUPS.at(-1)![0] ? [...files, ...rest] : files;
    return { title, pages: all.map((file) => readPage(root, file)) };
  });
}

function markdownIn(root: string, folder: string): string[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.sort().map((name) => `${folder}/${name}`);
}

function readPage(root: string, file: string): Page {
  return { name: pageName(file), file, markdown: readFileSync(join(root, file), 'utf8') };
}

/** `docs/decisions/order.md` is the page `decisions/order`. */
export function pageName(file: string): string {
  if (file === START) return 'index';
  const name = file
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .toLowerCase();
  return name.replace(/^.*\/(\w+)\/readme$/, '$1');
}

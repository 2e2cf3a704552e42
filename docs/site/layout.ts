/** One page of the site as HTML. It loads nothing but the site's own style and script. */
import { escapeHtml, type Rendered } from './markdown.ts';

export interface Entry {
  title: string;
  address: string;
}

export interface Menu {
  title: string;
  entries: Entry[];
}

/** @param scripts addresses of what the page loads besides the site's own */
export function layOut(page: Rendered, address: string, menus: Menu[], scripts: string[] = []): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(page.title)} · LetsApp</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/site.css">
${['/docs/site.js', ...scripts].map((source) => `<script src="${source}" defer></script>`).join('\n')}
</head>
<body>
<a class="skip" href="#content">To the text</a>
<header>
<a class="home" href="/docs/">LetsApp</a>
<search><input id="search" type="search" placeholder="Search" aria-label="Search the documentation" autocomplete="off" hidden></search>
<ol id="found" hidden></ol>
</header>
<div class="frame">
<details class="menu"><summary>Menu</summary>
<nav aria-label="Pages">
${menus.map((menu) => menuHtml(menu, address)).join('\n')}
</nav></details>
<main id="content">
${page.html}
</main>
${contentsHtml(page)}
</div>
</body>
</html>
`;
}

function menuHtml({ title, entries }: Menu, current: string): string {
  const items = entries.map(({ title: name, address }) => {
    const mark = address === current ? ' aria-current="page"' : '';
    return `<li><a href="${address}"${mark}>${escapeHtml(name)}</a></li>`;
  });
  return `<h2>${escapeHtml(title)}</h2>\n<ul>${items.join('')}</ul>`;
}

function contentsHtml({ headings }: Rendered): string {
  if (headings.length < 2) return '';
  const items = headings.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${items.join('')}</ul></nav>`;
}

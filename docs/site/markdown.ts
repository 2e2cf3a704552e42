/** Markdown as HTML: headings have addresses, links lead to the pages of the site, and what is found is cut in sections. */
import { posix } from 'node:path';
import { Marked, type Token, type Tokens } from 'marked';

/** What the search finds: a heading and the text below it. */
export interface Section {
  title: string;
  id: string;
  text: string;
}

export interface Rendered {
  title: string;
  html: string;
  /** The headings of the second level, for the list of contents. */
  headings: { id: string; title: string }[];
  sections: Section[];
}

/** How much of a section's text the search knows, in characters. */
const SECTION_LENGTH = 1500;

/**
 * @param file where the text lies, from the project's root
 * @param addressOf the page that shows another file; undefined where none does
 */
export function renderMarkdown(
  markdown: string,
  file: string,
  addressOf: (file: string) => string | undefined,
): Rendered {
  const slugs = slugger();
  const marked = new Marked();
  const tokens = marked.lexer(markdown);
  const sections = sectionsOf(tokens, slugger());
  const headings: Rendered['headings'] = [];
  marked.use({
    renderer: {
      heading({ tokens: inner, depth }) {
        const title = plainText(inner);
        const id = slugs(title);
        if (depth === 2) headings.push({ id, title });
        return `<h${depth} id="${id}"><a class="anchor" href="#${id}">${this.parser.parseInline(inner)}</a></h${depth}>\n`;
      },
      link({ href, tokens: inner }) {
        const text = this.parser.parseInline(inner);
        const to = resolve(href, file, addressOf);
        return to === undefined ? text : `<a href="${escapeHtml(to)}">${text}</a>`;
      },
    },
  });
  const html = marked
    .parser(tokens)
    .replaceAll('<table>', '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>')
    .replaceAll('</table>', '</table></div>')
    .replaceAll('<pre>', '<pre tabindex="0">');
  return { title: sections[0]?.title ?? file, html, headings, sections };
}

/** Where a link leads on the site; undefined for what it does not show, such as source files. */
function resolve(href: string, file: string, addressOf: (file: string) => string | undefined): string | undefined {
  if (/^(https?:|mailto:|#|\/)/.test(href)) return href;
  const [path = '', fragment] = href.split('#');
  const address = addressOf(posix.normalize(posix.join(posix.dirname(file), path)));
  return address && (fragment === undefined ? address : `${address}#${fragment}`);
}

function sectionsOf(tokens: Token[], slugs: (title: string) => string): Section[] {
  const sections: Section[] = [];
  for (const token of tokens) {
    if (token.type === 'heading') {
      const title = plainText((token as Tokens.Heading).tokens);
      sections.push({ title, id: slugs(title), text: '' });
    } else if (!(token.type === 'code' && token.lang === 'json')) {
      const section = sections.at(-1);
      if (section)
        section.text = `${section.text} ${token.raw.replaceAll(/[`*|#>\s]+|-{3,}/g, ' ')}`.slice(0, SECTION_LENGTH);
    }
  }
  return sections;
}

function plainText(tokens: Token[]): string {
  return tokens
    .map((token) => ('tokens' in token && token.tokens ? plainText(token.tokens) : 'text' in token ? token.text : ''))
    .join('');
}

/** Gives each heading of a page an address of its own, as GitHub does. */
function slugger(): (title: string) => string {
  const seen = new Map<string, number>();
  return (title) => {
    const slug = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

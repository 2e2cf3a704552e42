// The search: the list of sections is loaded when somebody first looks for something.
const field = document.getElementById('search');
const found = document.getElementById('found');
const MOST = 12;
let sections;

field.hidden = false;
if (matchMedia('(min-width: 56rem)').matches) document.querySelector('details.menu').open = true;

async function load() {
  sections ??= fetch('/docs/search.json').then((response) => response.json());
  return sections;
}

function score({ page, title, text }, words) {
  const head = `${title} ${page}`.toLowerCase();
  const all = `${head} ${text.toLowerCase()}`;
  if (!words.every((word) => all.includes(word))) return 0;
  return words.reduce(
    (sum, word) => sum + 1 + (head.includes(word) ? 5 : 0) + (title.toLowerCase() === word ? 20 : 0),
    0,
  );
}

function excerpt(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
  return text.slice(at, at + 140);
}

function item({ page, title, text, to }, words) {
  const link = document.createElement('a');
  link.href = to;
  const head = document.createElement('strong');
  head.textContent = title === page ? title : `${page} › ${title}`;
  const body = document.createElement('span');
  body.textContent = excerpt(text, words[0]);
  link.append(head, body);
  const entry = document.createElement('li');
  entry.append(link);
  return entry;
}

async function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = await load();
  const best =
    words.length === 0 ? [] : all.map((section) => [score(section, words), section]).filter(([points]) => points > 0);
  best.sort(([a], [b]) => b - a);
  const items = best.slice(0, MOST).map(([, section]) => item(section, words));
  if (items.length === 0 && words.length > 0) {
    const none = document.createElement('li');
    none.textContent = 'Nothing found.';
    items.push(none);
  }
  found.replaceChildren(...items);
  found.hidden = items.length === 0;
}

field.addEventListener('focus', load, { once: true });
field.addEventListener('input', search);
found.addEventListener('click', () => {
  found.hidden = true;
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') found.hidden = true;
  else if (event.key === '/' && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    field.focus();
  }
});

/**
 * Cuts a version in CHANGELOG.md (Keep a Changelog 1.1.0): what is under `Unreleased` goes under the version, which it
 * prints for the tag's message.
 * node .ci/changelog.mjs VERSION YYYY-MM-DD
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'CHANGELOG.md';
const [version, date] = process.argv.slice(2);
const text = readFileSync(FILE, 'utf8');

const unreleased = /^## \[Unreleased\]\n([\s\S]*?)(?=^## \[|(?![\s\S]))/m.exec(text);
const notes = unreleased?.[1].trim();
if (!notes) {
  process.stderr.write(`${FILE}: nothing under [Unreleased]\n`);
  process.exit(1);
}
if (text.includes(`## [${version}]`)) {
  process.stderr.write(`${FILE}: [${version}] is there already\n`);
  process.exit(1);
}
const released = `## [Unreleased]\n\n## [${version}] - ${date}\n\n${notes}\n\n`;
// A function, since `$` in the notes would mean something in a replacement text.
writeFileSync(FILE, `${text.replace(unreleased[0], () => released).trimEnd()}\n`);
process.stdout.write(`${notes}\n`);

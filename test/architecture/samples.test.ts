/** Every sample of code in the documents is run by a test, as the line before it says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { samplesOf } from '../support/samples.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CODE = ['js', 'jsx', 'ts', 'tsx'];

const documents = [
  'README.md',
  'shared/client/README.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true })
    .map((name) => `docs/${name}`)
    .filter((name) => name.endsWith('.md')),
];

it('each sample names the test that runs it, and that test reads the document', () => {
  const all = documents.flatMap((file) =>
    samplesOf(file)
      .filter(({ language }) => CODE.includes(language))
      .map((sample) => ({ file, ...sample })),
  );
  const missing = all.filter(({ file, before }) => {
    const test = /<!-- (test\/\S+\.test\.ts) runs it\. -->/.exec(before)?.[1];
    if (!test || !existsSync(path.join(ROOT, test))) return true;
    return !readFileSync(path.join(ROOT, test), 'utf8').includes(path.basename(file));
  });
  expect(all.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

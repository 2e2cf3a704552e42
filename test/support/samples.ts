/** The samples of the documents, for tests that run them as they stand there. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Sample {
  language: string;
  code: string;
  /** The line before it. */
  before: string;
}

/** @param file from the project's root */
export function samplesOf(file: string): Sample[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const found = text.matchAll(/([^\n]*)\n *```(\w+)\n(.*?)\n *```/gs);
  return [...found].map(([, before, language, code]) => ({
    language: language!,
    code: `${code}\n`,
    before: before!,
  }));
}

/**
 * The one sample that holds a text.
 * @param replaced what stands there for things that each reader has otherwise, such as addresses
 */
export function sampleOf(file: string, holding: string, replaced: Record<string, string> = {}): string {
  const found = samplesOf(file).filter(({ code }) => code.includes(holding));
  if (found.length !== 1) throw new Error(`${found.length} samples of ${file} hold ${holding}`);
  let { code } = found[0]!;
  for (const [from, to] of Object.entries(replaced)) {
    if (!code.includes(from)) throw new Error(`${file}: the sample with ${holding} does not have ${from}`);
    code = code.replaceAll(from, to);
  }
  return code;
}

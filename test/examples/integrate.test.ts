/** docs/integrate.md, word for word. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startProcessForTest } from '../support/server-process.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The blocks of a language, indented or not, as one text. */
function blocks(text: string, language: string): string {
  const found = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms'));
  return [...found].map(([, , block]) => block).join('\n');
}

it('two users of an app with accounts of its own chat, and its back end writes for one of them', async () => {
  const server = await startProcessForTest({ env: { MONGODB_URL: '' } });
  const text = readFileSync(path.join(ROOT, 'docs/integrate.md'), 'utf8');
  // Below the project, where the packages are found.
  mkdirSync(path.join(ROOT, 'dist'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, 'dist/integrate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'chat.mjs'), blocks(text, 'js'));
  writeFileSync(path.join(folder, 'integrate.sh'), `set -euo pipefail\n${blocks(text, 'sh')}`);

  const env = { ...process.env, LETSAPP: server.url, DATA_DIR: server.dataDir, MONGODB_URL: '' };
  const { stdout } = await promisify(execFile)('bash', ['integrate.sh'], { cwd: folder, env });
  expect(stdout).toContain('Ann: Hello Bob (stored)');
  expect(stdout).toContain('"content":"Your order is on its way"');
});

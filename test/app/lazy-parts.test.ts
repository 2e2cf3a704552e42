/** What a server loads: parts that are switched off by default cost nothing but their files on the disk. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { removeAtExit } from '../support/program.ts';
import { startServerProcess } from '../support/server-process.ts';

/** The setting that switches a part on, and a text that is in its code alone. */
const PARTS: [setting: Record<string, string>, mark: string][] = [
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, 'BatchSpanProcessor'],
  [{ ADMIN_UI: 'on', ADMIN_UI_PASSWORD: 'the password of the operator' }, 'socket.io-admin'],
];

let byDefault: string[];
let withAll: string[];

/** The texts of all files of the server that V8 has loaded until its end. */
async function loadedBy(env: Record<string, string>): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'letsapp-loaded-'));
  removeAtExit(folder);
  const server = await startServerProcess({ env: { ...env, NODE_V8_COVERAGE: folder } });
  expect(await server.stop()).toBe(0);
  const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
  const urls = reports.flatMap(({ result }: { result: { url: string }[] }) => result.map(({ url }) => url));
  return [...new Set(urls)]
    .filter((url) => url.includes('/dist/'))
    .map((url) => readFileSync(fileURLToPath(url), 'utf8'));
}

beforeAll(async () => {
  const settings = Object.assign({}, ...PARTS.map(([setting]) => setting)) as Record<string, string>;
  [byDefault, withAll] = await Promise.all([loadedBy({}), loadedBy(settings)]);
});

it.each(PARTS)('%o alone loads what it needs', (_setting, mark) => {
  const has = (texts: string[]) => texts.some((text) => text.includes(mark));
  expect([has(byDefault), has(withAll)]).toEqual([false, true]);
});
